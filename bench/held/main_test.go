package main

import (
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestHeld checks the accuracy of the estimates without load, since the accuracy under load depends on the machine.
// internal/finding tests the estimates with noise. The test is skipped with the race detector, which adds memory to stacks and heap.
func TestHeld(t *testing.T) {
	if raceDetector {
		t.Skip("memory is not measured with the race detector")
	}
	for _, held := range []int{1 << 10, 16 << 10, 256 << 10} {
		f := measure(held, runtime.GC)
		assert.LessOrEqual(t, math.Abs(f.estimate/f.truth-1), 0.1, "%+v", f)
		assert.LessOrEqual(t, math.Abs(f.predicted/f.left-1), 0.05, "%+v", f)
	}
}

// TestUnderLoad checks only that there are figures.
func TestUnderLoad(t *testing.T) {
	f := measureUnderLoad(1 << 10)
	assert.Positive(t, f.estimate)
	assert.Positive(t, f.predicted)
}

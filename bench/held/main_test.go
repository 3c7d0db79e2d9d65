package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestHeld checks the accuracy of the estimates. It is skipped with the race detector, which adds memory to stacks
// and heap.
func TestHeld(t *testing.T) {
	if raceDetector {
		t.Skip("memory is not measured with the race detector")
	}
	for _, held := range []int{1 << 10, 16 << 10, 256 << 10} {
		f := measure(held)
		assert.LessOrEqual(t, math.Abs(f.estimate/f.truth-1), 0.3, "%+v", f)
		assert.LessOrEqual(t, math.Abs(f.predicted/f.left-1), 0.25, "%+v", f)
	}
}

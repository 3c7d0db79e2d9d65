package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestHeld holds what is promised, in this process. The race detector adds memory of its own
// to stacks and heap, so that nothing is measured with it.
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

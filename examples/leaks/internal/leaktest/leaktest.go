// Package leaktest checks of a call whether it leaves goroutines behind. What the
// calls before it have left is not held against it, so leaks need not be ended. It
// is why no package beside it has goleak look once more when all tests are over: what
// TestLeaky leaks is there for good.
package leaktest

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a goroutine may take to get where it leaks, or to end. A
// machine that is busy with the race detector needs some of it.
const patience = 20 * time.Second

// Leaks checks that call leaves a goroutine behind which waits in function, for
// the reason that the runtime calls state. The call may itself never return.
func Leaks(t *testing.T, function, state string, call func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	go call()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		// Find looks again for half a second before it gives up hope.
		last = goleak.Find(before)
		if last != nil && waits(last.Error(), function, state) {
			return
		}
	}
	t.Errorf("nothing waits in %s (%s), but:\n%v", function, state, last)
}

// waits tells whether one of the stacks has both the function and the state.
//
//	[Goroutine 7 in state chan send, with ...main.answer on top of the stack:
func waits(stacks, function, state string) bool {
	for stack := range strings.SplitSeq(stacks, "[Goroutine ") {
		if strings.Contains(stack, " in state "+state) && strings.Contains(stack, "."+function+"(") {
			return true
		}
	}
	return false
}

// Clean checks that call leaves no goroutine behind.
func Clean(t *testing.T, call func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	call()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if last = goleak.Find(before); last == nil {
			return
		}
	}
	t.Error(last)
}

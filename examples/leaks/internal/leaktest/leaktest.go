// Package leaktest checks whether a call leaks goroutines. Goroutines of earlier calls are
// ignored, so leaks need not be ended. For that reason the packages beside it do not use
// goleak.VerifyTestMain: what TestLeaky leaks remains.
package leaktest

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a goroutine may take until it leaks or exits. A busy machine with the race
// detector needs some of it.
const patience = 20 * time.Second

// Leaks checks that call leaks a goroutine that waits in function, with the given wait reason of
// the runtime. The call itself may never return.
func Leaks(t *testing.T, function, state string, call func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	go call()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		// Find itself retries for half a second.
		last = goleak.Find(before)
		if last != nil && waits(last.Error(), function, state) {
			return
		}
	}
	t.Errorf("no goroutine waits in %s (%s):\n%v", function, state, last)
}

// waits reports whether a stack has both the function and the state.
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

// Clean checks that call leaks no goroutine.
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

package exectrace

import (
	"testing"

	"golang.org/x/exp/trace"
)

// step is a transition and the state of the goroutine after it.
type step struct {
	from, to trace.GoState
	stack    int32
	sight    sight
	shown    int32
}

func TestWhatIsKnownOfAGoroutine(t *testing.T) {
	const (
		undetermined = trace.GoUndetermined
		notExist     = trace.GoNotExist
		runnable     = trace.GoRunnable
		running      = trace.GoRunning
		waiting      = trace.GoWaiting
		syscall      = trace.GoSyscall
	)
	for name, steps := range map[string][]step{
		"waits all through":     {{undetermined, waiting, 1, sightWaiting, 1}},
		"in a system call":      {{undetermined, syscall, 1, sightSyscall, 1}},
		"ready all through":     {{undetermined, runnable, 1, sightReady, 1}},
		"runs all through":      {{undetermined, running, noStack, sightNone, noStack}},
		"readied, has not run":  {{undetermined, waiting, 1, sightWaiting, 1}, {waiting, runnable, noStack, sightWaiting, 1}},
		"readied, runs":         {{undetermined, waiting, 1, sightWaiting, 1}, {waiting, runnable, noStack, sightWaiting, 1}, {runnable, running, noStack, sightMoved, 1}},
		"readied, stack untold": {{undetermined, waiting, noStack, sightNone, noStack}, {waiting, runnable, noStack, sightNone, noStack}, {runnable, running, noStack, sightNone, noStack}},
		"blocks":                {{undetermined, running, noStack, sightNone, noStack}, {running, waiting, 2, sightWaiting, 2}},
		"blocks elsewhere":      {{undetermined, waiting, 1, sightWaiting, 1}, {waiting, runnable, noStack, sightWaiting, 1}, {runnable, running, noStack, sightMoved, 1}, {running, waiting, 2, sightWaiting, 2}},
		"preempted":             {{undetermined, running, noStack, sightNone, noStack}, {running, runnable, 2, sightPreempted, 2}},
		"preempted, runs again": {{undetermined, running, noStack, sightNone, noStack}, {running, runnable, 2, sightPreempted, 2}, {runnable, running, noStack, sightMoved, 2}},
		"enters a system call":  {{undetermined, running, noStack, sightNone, noStack}, {running, syscall, 2, sightSyscall, 2}},
		"leaves a system call":  {{undetermined, syscall, 1, sightSyscall, 1}, {syscall, running, noStack, sightMoved, 1}},
		"leaves one, no P free": {{undetermined, syscall, 1, sightSyscall, 1}, {syscall, runnable, noStack, sightSyscall, 1}},
		"new":                   {{notExist, runnable, 3, sightCreated, 3}},
		"new, runs":             {{notExist, runnable, 3, sightCreated, 3}, {runnable, running, noStack, sightCreated, 3}},
		"new, blocks":           {{notExist, runnable, 3, sightCreated, 3}, {runnable, running, noStack, sightCreated, 3}, {running, waiting, 2, sightWaiting, 2}},
		"new, without a stack":  {{notExist, syscall, noStack, sightNone, noStack}},
		"new coroutine":         {{notExist, waiting, 3, sightCreated, 3}},
		"switches to another":   {{undetermined, waiting, 1, sightWaiting, 1}, {waiting, runnable, noStack, sightWaiting, 1}, {runnable, running, noStack, sightMoved, 1}, {running, waiting, noStack, sightLost, 1}},
		"new, switches":         {{notExist, waiting, 3, sightCreated, 3}, {waiting, runnable, noStack, sightCreated, 3}, {runnable, running, noStack, sightCreated, 3}, {running, waiting, noStack, sightCreated, 3}},
		"switches and returns":  {{undetermined, waiting, 1, sightWaiting, 1}, {waiting, runnable, noStack, sightWaiting, 1}, {runnable, running, noStack, sightMoved, 1}, {running, waiting, noStack, sightLost, 1}, {waiting, runnable, noStack, sightLost, 1}, {runnable, running, noStack, sightMoved, 1}},
		"switches, never seen":  {{undetermined, running, noStack, sightNone, noStack}, {running, waiting, noStack, sightNone, noStack}},
	} {
		t.Run(name, func(t *testing.T) {
			g := goroutine{stack: noStack}
			for i, s := range steps {
				g = g.after(s.from, s.to, s.stack)
				if want := (goroutine{s.shown, s.sight}); g != want {
					t.Fatalf("after step %d, %s to %s: got %+v, want %+v", i, s.from, s.to, g, want)
				}
			}
		})
	}
}

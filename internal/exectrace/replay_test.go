package exectrace

import (
	"testing"

	"golang.org/x/exp/trace"
)

// step is a transition and what is known of the goroutine after it.
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
		"waits all through":     {{undetermined, waiting, 1, waits, 1}},
		"in a system call":      {{undetermined, syscall, 1, inSyscall, 1}},
		"ready all through":     {{undetermined, runnable, 1, ready, 1}},
		"runs all through":      {{undetermined, running, noStack, unseen, noStack}},
		"readied, has not run":  {{undetermined, waiting, 1, waits, 1}, {waiting, runnable, noStack, waits, 1}},
		"readied, runs":         {{undetermined, waiting, 1, waits, 1}, {waiting, runnable, noStack, waits, 1}, {runnable, running, noStack, moved, 1}},
		"readied, stack untold": {{undetermined, waiting, noStack, unseen, noStack}, {waiting, runnable, noStack, unseen, noStack}, {runnable, running, noStack, unseen, noStack}},
		"blocks":                {{undetermined, running, noStack, unseen, noStack}, {running, waiting, 2, waits, 2}},
		"blocks elsewhere":      {{undetermined, waiting, 1, waits, 1}, {waiting, runnable, noStack, waits, 1}, {runnable, running, noStack, moved, 1}, {running, waiting, 2, waits, 2}},
		"preempted":             {{undetermined, running, noStack, unseen, noStack}, {running, runnable, 2, preempted, 2}},
		"preempted, runs again": {{undetermined, running, noStack, unseen, noStack}, {running, runnable, 2, preempted, 2}, {runnable, running, noStack, moved, 2}},
		"enters a system call":  {{undetermined, running, noStack, unseen, noStack}, {running, syscall, 2, inSyscall, 2}},
		"leaves a system call":  {{undetermined, syscall, 1, inSyscall, 1}, {syscall, running, noStack, moved, 1}},
		"leaves one, no P free": {{undetermined, syscall, 1, inSyscall, 1}, {syscall, runnable, noStack, inSyscall, 1}},
		"new":                   {{notExist, runnable, 3, created, 3}},
		"new, runs":             {{notExist, runnable, 3, created, 3}, {runnable, running, noStack, created, 3}},
		"new, blocks":           {{notExist, runnable, 3, created, 3}, {runnable, running, noStack, created, 3}, {running, waiting, 2, waits, 2}},
		"new, without a stack":  {{notExist, syscall, noStack, unseen, noStack}},
		"new coroutine":         {{notExist, waiting, 3, created, 3}},
		"switches to another":   {{undetermined, waiting, 1, waits, 1}, {waiting, runnable, noStack, waits, 1}, {runnable, running, noStack, moved, 1}, {running, waiting, noStack, lost, 1}},
		"new, switches":         {{notExist, waiting, 3, created, 3}, {waiting, runnable, noStack, created, 3}, {runnable, running, noStack, created, 3}, {running, waiting, noStack, created, 3}},
		"switches and returns":  {{undetermined, waiting, 1, waits, 1}, {waiting, runnable, noStack, waits, 1}, {runnable, running, noStack, moved, 1}, {running, waiting, noStack, lost, 1}, {waiting, runnable, noStack, lost, 1}, {runnable, running, noStack, moved, 1}},
		"switches, never seen":  {{undetermined, running, noStack, unseen, noStack}, {running, waiting, noStack, unseen, noStack}},
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

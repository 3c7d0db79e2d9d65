package finding

import (
	"cmp"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

// classOf guesses the class of the mistake if no trace has shown it, from what the goroutines wait
// for and what wakes healthy ones.
func classOf(head Place, wakers []Origin) mistake.Class {
	if c := cmp.Or(mistake.OfFunction(head.Function), mistake.OfFunction(head.Entry)); c != mistake.Unknown {
		return c
	}
	switch head.State {
	case "":
		if head.Entry == "" {
			return mistake.Unknown
		}
		return mistake.LoopWithoutExit // an entry: its goroutines have no line in common
	case "select", "chan_receive", "waitgroup", "cond":
		for _, w := range wakers {
			if strings.HasPrefix(w.Call, "context.") {
				return mistake.CancelForgotten
			}
		}
	}
	return mistake.OfState(head.State)
}

// pageOf returns the page about goroutines in a state, relative to the root of this repository.
func pageOf(state string) string {
	switch state {
	case "chan_send", "chan_receive", "select", "select_no_cases", "mutex", "rwmutex_read", "rwmutex_write", "waitgroup",
		"cond", "semaphore", "sleep", "io_wait", "syscall", "coroutine", "running", "other":
		return "docs/leaks/" + state + ".md"
	case "":
		return "docs/leaks/sleep.md" // an entry: its loop has no exit
	}
	return "docs/leaks/README.md"
}

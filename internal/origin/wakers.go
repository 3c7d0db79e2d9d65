package origin

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// wakersOf returns the last wakers of the goroutines of a group that ended, for which the others wait.
// Wakers that never end a goroutine, such as ticks, are left out, and so are timers, the network,
// and wakers without own code.
func wakersOf(group int, code *codeOwner, traces []*exectrace.Origins) []Waker {
	type key struct {
		own  stack.Frame
		call string
	}
	byKey := make(map[key]int)
	var all []Waker
	most := make(map[key]int)
	total := 0
	for _, t := range traces {
		for _, w := range t.Groups[group].Wakes {
			total += w.Last
			own := code.ownFrame(w.Waker)
			if w.Last == 0 || own < 0 {
				continue
			}
			k := key{own: w.Waker[own], call: calledFunction(w.Waker[:own])}
			i, known := byKey[k]
			if !known {
				i = len(all)
				byKey[k] = i
				all = append(all, Waker{Own: k.own, Call: k.call})
			}
			if w.Last > most[k] {
				most[k], all[i].Stack = w.Last, w.Waker
			}
			all[i].Count += w.Last
		}
	}
	for i := range all {
		all[i].Share = float64(all[i].Count) / float64(total)
	}
	return largest(all, func(w Waker) int { return w.Count }, func(w Waker) string {
		return w.Own.Function + " " + w.Own.File + " " + w.Call
	})
}

// calledFunction returns the function that a line calls, given the frames above it, leaf first. The
// runtime's implementation of a statement, such as closing a channel, is not a call.
func calledFunction(above []stack.Frame) string {
	if len(above) == 0 {
		return ""
	}
	if f := above[len(above)-1].Function; !strings.HasPrefix(f, "runtime.") {
		return f
	}
	return ""
}

package origin

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// wakers returns what woke those of a group last that ended: what the others wait for. What
// wakes them again and again, as ticks do, ends none. Timers and the network are not told,
// nor is what no line of the service's own code does.
func wakers(group int, code *code, traces []*exectrace.Origins) []Waker {
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
			own := code.own(w.Waker)
			if w.Last == 0 || own < 0 {
				continue
			}
			k := key{own: w.Waker[own], call: called(w.Waker[:own])}
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

// called returns what a line calls, of the frames above it, leaf first. What the runtime does
// for the line itself, as to close a channel, is no call.
func called(above []stack.Frame) string {
	if len(above) == 0 {
		return ""
	}
	if f := above[len(above)-1].Function; !strings.HasPrefix(f, "runtime.") {
		return f
	}
	return ""
}

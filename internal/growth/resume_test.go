package growth

import (
	"math"
	"testing"
	"time"
)

// watched is a leak of one a minute, as observed by a watcher that began at a minute.
func watched(minute, begun int) Observation {
	at := func(minute int) time.Time {
		return time.Unix(1_750_000_000, 0).Add(time.Duration(minute) * time.Minute)
	}
	aged := max(0, minute-10)
	if minute < begun+10 {
		aged = 0
	}
	return Observation{At: at(minute), Start: at(begun), Count: float64(minute), Census: true, Aged: float64(aged)}
}

// A restarted collector begins a new census. Flags must stay.
func TestANewWatcherIsNoNewProcess(t *testing.T) {
	rules := defaults()
	var e Evidence
	for minute := range 300 {
		e.Observe(&rules, watched(minute, 0))
	}
	if v := e.Observe(&rules, watched(300, 0)); v.Severity != Probable {
		t.Fatalf("before: %+v", v)
	}
	for minute := 302; minute < 600; minute++ {
		v := e.Observe(&rules, watched(minute, 302))
		if v.Severity != Probable {
			t.Fatalf("minute %d: %+v", minute, v)
		}
		if want := float64(minute - 10); minute >= 312 && v.Leaked != want {
			t.Fatalf("minute %d: %v leaked, want %v", minute, v.Leaked, want)
		}
	}
}

// A new process has fewer goroutines: the leaked ones are gone.
func TestANewProcessIsNoNewWatcher(t *testing.T) {
	rules := defaults()
	for name, count := range map[string]float64{"few": 3, "as many, that do not stay": 1000} {
		var e Evidence
		for minute := range 300 {
			e.Observe(&rules, watched(minute, 0))
		}
		var v Verdict
		for minute := 300; minute < 300+32; minute++ {
			o := watched(minute, 300)
			o.Count, o.Aged = count, 0
			v = e.Observe(&rules, o)
		}
		if v.Severity != None {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A pool of fixed size does not grow, even if each new process has a larger one. Such a process cannot
// be distinguished from one with a new watcher.
func TestAPoolOfEachProcessIsNoGrowth(t *testing.T) {
	rules := defaults()
	for _, life := range []int{15, 30, 60, 240} {
		for _, more := range []int{1, 5} {
			var e Evidence
			begin := time.Unix(1_750_000_000, 0)
			for minute := range 3 * 24 * 60 {
				lives, age := minute/life, minute%life
				o := Observation{
					At: begin.Add(time.Duration(minute) * time.Minute), Start: begin.Add(time.Duration(lives*life) * time.Minute),
					Count: float64(20 + more*lives), Census: true,
				}
				if age >= 10 {
					o.Aged = o.Count
				}
				if v := e.Observe(&rules, o); v.Severity != None {
					t.Errorf("%d more every %d min: after %d min %+v", more, life, minute, v)
					break
				}
			}
		}
	}
}

// ObserveUntil is the same as many equal observations.
func TestObserveUntil(t *testing.T) {
	rules := defaults()
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	for _, step := range []int{7, 100, 24 * 60} {
		observe := func(minute int) Observation {
			level := float64(minute / step * 20)
			return Observation{At: at(minute), Start: epoch, First: epoch, Bound: 10 * time.Minute, Census: true, Count: level, Aged: level}
		}
		var told, seen Evidence
		for minute := range 8 * step {
			seen.Observe(&rules, observe(minute))
			if minute%step != step-1 {
				continue
			}
			told.ObserveUntil(&rules, observe(minute+1-step), at(minute))
			if told.floors != seen.floors || told.Grown() != seen.Grown() || told.last != seen.last {
				t.Fatalf("steps of %d min, after %d: %+v, want %+v", step, minute, told.floors, seen.floors)
			}
			if got, want := told.lifetime.hours, seen.lifetime.hours; math.Abs(float64(got-want)) > 0.02*float64(want) {
				t.Fatalf("steps of %d min, after %d: %v goroutine-hours, want %v", step, minute, got, want)
			}
		}
	}
}

package detect

import (
	"slices"
	"testing"
)

// told observes batches and returns the identities reported as mixed.
func told(t *testing.T, batches [][]Reading) []ID {
	t.Helper()
	r := newRig(t)
	var mixed []ID
	for _, readings := range batches {
		newest := r.newest
		for i := range readings {
			newest = max(newest, readings[i].At)
		}
		r.clock, r.newest = r.clock+max(newest-r.newest, 1e9), newest
		mixed = append(mixed, r.d.Observe(r.clock, slices.Clone(readings)).Mixed...)
	}
	return mixed
}

// life returns a process that starts at a minute, with one group.
func life(start int) *scene {
	s := newScene()
	s.start = start
	s.residents(1, 100, 20)
	return s
}

// scrapes returns the scrapes of processes that take turns, a minute each, one a batch.
func scrapes(from, until int, turns ...*scene) [][]Reading {
	var batches [][]Reading
	for now := from; now < until; now++ {
		batches = append(batches, turns[now%len(turns)].at(now))
	}
	return batches
}

// inBatchesOf merges n batches into one each.
func inBatchesOf(n int, batches [][]Reading) [][]Reading {
	var joined [][]Reading
	for some := range slices.Chunk(batches, n) {
		joined = append(joined, slices.Concat(some...))
	}
	return joined
}

// inStep returns the scrapes of two processes, of which the second is always 10 ms later.
func inStep(joined bool, from, until int, first, second *scene) [][]Reading {
	var batches [][]Reading
	for now := from; now < until; now++ {
		later := second.at(now)
		for i := range later {
			later[i].At += 10e6
		}
		batches = append(batches, first.at(now), later)
	}
	if joined {
		return inBatchesOf(2, batches)
	}
	return batches
}

// counters converts readings to another kind, one for each time.
func counters(kind Kind, batches [][]Reading) [][]Reading {
	for i, readings := range batches {
		batches[i] = slices.DeleteFunc(readings, func(r Reading) bool { return r.Part != Count || r.Kind != Stack })
	}
	return each(batches, func(r *Reading) { r.Kind = kind })
}

// each applies change to all readings.
func each(batches [][]Reading, change func(*Reading)) [][]Reading {
	for _, readings := range batches {
		for i := range readings {
			change(&readings[i])
		}
	}
	return batches
}

// twice repeats each batch, like a sender that retries.
func twice(batches [][]Reading) [][]Reading {
	var all [][]Reading
	for _, readings := range batches {
		all = append(all, readings, readings)
	}
	return all
}

func TestMixedProcessesAreTold(t *testing.T) {
	counts := func(s *scene) *scene { s.counts = true; return s }
	for name, batches := range map[string][][]Reading{
		"two":                        scrapes(0, 20, life(-60), life(-5)),
		"three":                      scrapes(0, 20, life(-60), life(-30), life(-5)),
		"two, one of them more":      scrapes(0, 60, life(-60), life(-60), life(-60), life(-5)),
		"counts alone":               scrapes(0, 20, counts(life(-60)), counts(life(-5))),
		"several scrapes in a batch": inBatchesOf(4, scrapes(0, 20, life(-60), life(-5))),
		"a batch for each part": slices.Collect(func(yield func([]Reading) bool) {
			for _, readings := range scrapes(0, 20, life(-60), life(-5)) {
				for i := range readings {
					if !yield(readings[i : i+1]) {
						return
					}
				}
			}
		}),
		"in step, in one batch":         inStep(true, 0, 20, life(-60), life(-5)),
		"in step, a batch for each":     inStep(false, 0, 20, life(-60), life(-5)),
		"in step, the younger before":   inStep(false, 0, 20, life(-5), life(-60)),
		"in step, after a while":        slices.Concat(scrapes(0, 10, life(-60)), inStep(false, 10, 20, life(-60), life(-5))),
		"in step, counts after a while": slices.Concat(scrapes(0, 10, counts(life(-60))), inStep(false, 10, 20, counts(life(-60)), counts(life(-5)))),
		"in step, counts alone":         inStep(true, 0, 20, counts(life(-60)), counts(life(-5))),
		"one starts again and again":    slices.Concat(scrapes(0, 5, life(-60)), scrapes(5, 10, life(-60), life(4)), scrapes(10, 20, life(-60), life(9))),
	} {
		t.Run(name, func(t *testing.T) {
			if mixed := told(t, batches); !slices.Equal(mixed, []ID{1}) {
				t.Errorf("told of %v, want of process 1 once", mixed)
			}
		})
	}
}

func TestNobodyIsToldToBeMixed(t *testing.T) {
	other := life(-5)
	other.process = 2
	var turns [][]Reading // the first of two is the second the next time
	for now := range 20 {
		first, second := life(-60), life(-5)
		if now%2 == 1 {
			first, second = second, first
		}
		turns = append(turns, inStep(true, now, now+1, first, second)...)
	}
	delta := func(r *Reading) { r.Delta, r.Start = r.Part == Exits, 0 }
	for name, batches := range map[string][][]Reading{
		"one process":            scrapes(0, 60, life(-60)),
		"two, told apart":        scrapes(0, 60, life(-60), other),
		"restarts":               slices.Concat(scrapes(0, 20, life(-60)), scrapes(20, 40, life(19)), scrapes(40, 60, life(39))),
		"a deploy that overlaps": slices.Concat(scrapes(0, 20, life(-60)), scrapes(20, 24, life(-60), life(19)), scrapes(24, 60, life(19))),
		"every scrape twice":     twice(slices.Concat(scrapes(0, 20, life(-60)), scrapes(20, 40, life(19)))),
		"scrapes that come again after a restart": slices.Concat(scrapes(0, 20, life(-60)), scrapes(20, 25, life(19)), scrapes(10, 20, life(-60)), scrapes(25, 40, life(19))),
		"batches that overtake each other": slices.Collect(func(yield func([]Reading) bool) {
			all := slices.Concat(scrapes(0, 20, life(-60)), scrapes(20, 40, life(19)))
			for i := 0; i+1 < len(all); i += 2 {
				if !yield(all[i+1]) || !yield(all[i]) {
					return
				}
			}
		}),
		// After a restart the clock is an hour behind, and catches up with the former start.
		"two libraries that count":     counters(Total, inStep(true, 0, 20, life(-60), life(-5))),
		"in an order that changes":     counters(Memory, turns),
		"a clock that was set back":    slices.Concat(scrapes(60, 90, life(50)), scrapes(31, 200, life(30))),
		"deltas, whose starts go on":   each(scrapes(0, 20, life(-60), life(-5)), delta),
		"gauges, which have no starts": each(scrapes(0, 20, life(-60), life(-5)), func(r *Reading) { r.Start = 0 }),
		"starts that are not known yet": each(scrapes(0, 60, life(-60)), func(r *Reading) {
			if r.At/6e10%2 == 0 {
				r.Start = 0
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if mixed := told(t, batches); len(mixed) > 0 {
				t.Errorf("told of %v, who are not mixed up", mixed)
			}
		})
	}
}

// An identity whose start goes back once an hour is not reported.
func TestStartsThatGoBackRarelyAreNotTold(t *testing.T) {
	var batches [][]Reading
	for hour := range 10 {
		start := hour * 60
		batches = append(batches, scrapes(start, start+58, life(start-1))...)
		batches = append(batches, life(start-70).at(start+58), life(start-1).at(start+59))
	}
	if mixed := told(t, batches); len(mixed) > 0 {
		t.Errorf("told of %v", mixed)
	}
}

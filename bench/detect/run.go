package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// The tested values of max_lifetime: the default, and a value for short requests.
const (
	lifetimeDefault = 12 * time.Hour
	lifetimeCalls   = time.Hour
)

// Our columns. Those of the rivals follow.
const (
	censusSuspected = iota
	censusProbable
	countsSuspected
	countsProbable
	callsSuspected // with the census and max_lifetime at lifetimeCalls
	callsProbable
	serviceProbable // of the service as a whole, with the census
	oursEnd
)

// caseResult has the outcomes of one case.
type caseResult struct {
	columns []*outcome // nil if the column does not apply
	leaks   []limits
	service []limits // for leaks of the service as a whole
}

// leaksOf returns the leaks to which a column applies.
func (p caseResult) leaksOf(column int) []limits {
	if column == serviceProbable {
		return p.service
	}
	return p.leaks
}

// limits has the earliest times at which a leak could be found, in minutes after its onset.
type limits struct {
	oracle, formula           float64
	oracleCalls, formulaCalls float64
	goroutines                bool // false if only memory leaks, which has no limits
	mixed                     bool // these are as in leak
	bursts                    bool
	replica                   bool
}

// run plays perFamily cases of each family, from the seed first, with a number of workers, and returns them in order.
// It counts the cases in played.
func run(all []family, first, perFamily, workers int, played *atomic.Int64) [][]caseResult {
	results := make([][]caseResult, len(all))
	type task struct{ family, nth int }
	tasks := make(chan task)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t := range tasks {
				results[t.family][t.nth] = all[t.family].play(first + t.nth)
				played.Add(1)
			}
		})
	}
	for f := range all {
		results[f] = make([]caseResult, perFamily)
		for nth := range perFamily {
			tasks <- task{f, nth}
		}
	}
	close(tasks)
	wg.Wait()
	return results
}

// play plays one case through all detectors.
func (f family) play(seed int) caseResult {
	r := random(f.name, seed)
	t := f.make(r)
	minutes := f.hours * hour
	all := make([]*series, len(t.processes))
	for i, p := range t.processes {
		all[i] = simulate(r, p, minutes)
	}
	out := caseResult{columns: f.playOurs(t, all)}
	for _, v := range rivals() {
		if f.scope == serviceDetectors {
			out.columns = append(out.columns, nil)
			continue
		}
		j := newJudge(t, f.judged, growth.None)
		for i, p := range t.processes {
			v.replay(i, p, all[i], j.add)
		}
		out.columns = append(out.columns, &j.result)
	}
	for _, l := range t.leaks {
		out.leaks = append(out.leaks, limitsOf(l, t.processes[l.process], all[l.process], minutes))
	}
	for _, l := range t.ofService().leaks {
		out.service = append(out.service, limits{
			goroutines: len(l.groups) > 0, mixed: l.mixed, formula: notFound, oracle: oracle(l, all, lifetimeDefault),
		})
	}
	return out
}

// playOurs passes one case through our detector in each mode.
func (f family) playOurs(t trial, all []*series) []*outcome {
	columns := make([]*outcome, oursEnd)
	for _, mode := range []struct {
		column      int // of suspected; probable follows
		census      bool
		maxLifetime time.Duration
	}{
		{censusSuspected, true, lifetimeDefault},
		{countsSuspected, false, lifetimeDefault},
		{callsSuspected, true, lifetimeCalls},
	} {
		if mode.column == callsSuspected && !f.calls || mode.column != censusSuspected && f.scope == serviceDetectors {
			continue
		}
		suspected, probable := newJudge(t, f.judged, growth.Suspected), newJudge(t, f.judged, growth.Probable)
		service := newJudge(t.ofService(), f.judged, growth.Probable)
		replay(t, all, mode.census, mode.maxLifetime, suspected, probable, serviceJudge{service})
		columns[mode.column], columns[mode.column+1] = &suspected.result, &probable.result
		if mode.column == censusSuspected {
			columns[serviceProbable] = &service.result
		}
	}
	return columns
}

func limitsOf(l leak, p process, s *series, minutes int) limits {
	if len(l.groups) == 0 {
		return limits{}
	}
	return limits{
		goroutines:   true,
		mixed:        l.mixed,
		bursts:       l.bursts,
		replica:      l.replica,
		oracle:       oracle(l, []*series{s}, lifetimeDefault),
		formula:      formula(l, p, minutes, lifetimeDefault),
		oracleCalls:  oracle(l, []*series{s}, lifetimeCalls),
		formulaCalls: formula(l, p, minutes, lifetimeCalls),
	}
}

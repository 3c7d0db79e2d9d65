package main

import (
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// The settings of max_lifetime that are tried: the default, and that for plain
// request and response.
const (
	lifetimeDefault = 12 * time.Hour
	lifetimeCalls   = time.Hour
)

// Columns of ours. Those of the rivals follow them.
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

// played is what became of one case.
type played struct {
	columns []*outcome // nil if the column was not asked
	leaks   []limits
	service []limits // of leaks of the service as a whole
}

// leaksOf returns the leaks that a column is asked for.
func (p played) leaksOf(column int) []limits {
	if column == serviceProbable {
		return p.service
	}
	return p.leaks
}

// limits are the times by which a leak could be found, in minutes after its onset.
type limits struct {
	oracle, formula           float64
	oracleCalls, formulaCalls float64
	goroutines                bool // else only memory leaks, and there are none
	mixed                     bool // among others who leave
	bursts                    bool // in few of them
	replica                   bool // one of many that are alike
}

// run plays so many cases of all families, from a first seed on, in workers goroutines,
// and returns them in order.
func run(all []family, first, perFamily, workers int) [][]played {
	results := make([][]played, len(all))
	type task struct{ family, nth int }
	tasks := make(chan task)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t := range tasks {
				results[t.family][t.nth] = all[t.family].play(first + t.nth)
			}
		})
	}
	for f := range all {
		results[f] = make([]played, perFamily)
		for nth := range perFamily {
			tasks <- task{f, nth}
		}
	}
	close(tasks)
	wg.Wait()
	return results
}

// play plays one case through all detectors.
func (f family) play(seed int) played {
	r := random(f.name, seed)
	t := f.make(r)
	minutes := f.hours * hour
	all := make([]*series, len(t.processes))
	for i, p := range t.processes {
		all[i] = simulate(r, p, minutes)
	}
	out := played{columns: f.playOurs(t, all)}
	for _, v := range rivals() {
		if f.asked == onService {
			out.columns = append(out.columns, nil)
			continue
		}
		j := newJudge(t, f.judged, growth.None)
		for i, p := range t.processes {
			v.replay(i, p, all[i], j.hear)
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

// playOurs passes one case through our detector, once in each way.
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
		if mode.column == callsSuspected && !f.calls || mode.column != censusSuspected && f.asked == onService {
			continue
		}
		suspected, probable := newJudge(t, f.judged, growth.Suspected), newJudge(t, f.judged, growth.Probable)
		service := newJudge(t.ofService(), f.judged, growth.Probable)
		replay(t, all, mode.census, mode.maxLifetime, suspected, probable, services{service})
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

package main

import "math"

// rival is a rule that people use today, on what they have: the number of
// goroutines of a process, or of each group in its profiles.
type rival struct {
	head [2]string // over its column
	// groups tells that it is asked of each group, else of the process.
	groups bool
	// channel tells that it is asked only of groups at a channel operation.
	channel bool
	// window is how far back it looks, in minutes, and every how many it is
	// asked.
	window, every int
	// holds is given the number at each minute of the window, NaN where
	// there is none. It may change what it is given.
	holds func(levels []float64) bool
}

// rivals returns all, in the order of the table.
func rivals() []rival {
	return []rival{
		// The alert of many a runbook.
		{
			head: [2]string{"count", ">1000"}, window: 1, every: 1,
			holds: func(x []float64) bool { return x[len(x)-1] > 1000 },
		},
		// Alerts on deriv() are written with either of these thresholds: one
		// that is quiet, and one that would see a slow leak. Evaluated every
		// five minutes, which loses that much at most.
		{
			head: [2]string{"deriv", "10/min"}, window: 60, every: 5,
			holds: func(x []float64) bool { return fit(x).slope > 10 },
		},
		{
			head: [2]string{"deriv", "10/h"}, window: 60, every: 5,
			holds: func(x []float64) bool { return fit(x).slope > 10/hour },
		},
		{
			head: [2]string{"predict", "10000"}, window: 60, every: 5,
			holds: func(x []float64) bool { f := fit(x); return f.last+4*hour*f.slope > 10_000 },
		},
		// Uber's LeakProf: so many goroutines of one process blocked at one
		// channel operation.
		{
			head: [2]string{"Leak", "Prof"}, groups: true, channel: true, window: 1, every: 1,
			holds: func(x []float64) bool { return x[len(x)-1] > 10_000 },
		},
		// The tests of trend of the literature, over six hours: long enough to
		// see past an hour's load, short enough to be of use.
		{
			head: [2]string{"Mann", "Kendall"}, window: 360, every: 10,
			holds: func(x []float64) bool { return mannKendall(thin(x)) > normal999 },
		},
		{
			head: [2]string{"slope", "R2>0.9"}, window: 360, every: 10,
			holds: func(x []float64) bool {
				f := fit(x)
				return complete(x) && f.r2 > 0.9 && f.slope*float64(len(x)) >= minLeaked
			},
		},
		// The floor of each group in half hours, rising through all of three
		// hours: what a careful person does by hand.
		{
			head: [2]string{"minimum", "/segment"}, groups: true, window: 180, every: 30,
			holds: func(x []float64) bool { return complete(x) && rises(x) },
		},
	}
}

// normal999 is what a standard normal variable exceeds once in 1,000 times.
const normal999 = 3.09

// replay asks the rule about one process and reports whom it flags.
func (v rival) replay(process int, p process, s *series, report func(alarm)) {
	if len(s.minutes) == 0 {
		return
	}
	if !v.groups {
		v.ask(byMinute(s, s.total), func(minute int) { report(alarm{process: process, minute: minute}) })
		return
	}
	for i, g := range p.groups {
		if v.channel && !atChannel(g.state) {
			continue
		}
		count := func(snapshot int) int { return int(s.groups[i].count[snapshot]) }
		v.ask(byMinute(s, count), func(minute int) {
			report(alarm{process: process, who: g.function, minute: minute})
		})
	}
}

// ask reports the minutes at which the rule holds for these levels. Where there
// is no data there is nothing to be asked about.
func (v rival) ask(levels []float64, report func(minute int)) {
	x := make([]float64, v.window)
	for m := 0; m < len(levels); m += v.every {
		if math.IsNaN(levels[m]) {
			continue
		}
		trailing(x, levels, m)
		if v.holds(x) {
			report(m)
		}
	}
}

func atChannel(state string) bool {
	return state == "chan_send" || state == "chan_receive" || state == "select"
}

// byMinute returns a number at each minute, NaN where there was no snapshot.
func byMinute(s *series, of func(snapshot int) int) []float64 {
	levels := make([]float64, s.minutes[len(s.minutes)-1]+1)
	for i := range levels {
		levels[i] = math.NaN()
	}
	for i, m := range s.minutes {
		levels[m] = float64(of(i))
	}
	return levels
}

// trailing fills x with the levels up to a minute; before the first there is none.
func trailing(x, levels []float64, minute int) {
	for i := range x {
		m := minute - len(x) + 1 + i
		x[i] = math.NaN()
		if m >= 0 {
			x[i] = levels[m]
		}
	}
}

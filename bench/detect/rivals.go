package main

import "math"

// rival is a rule in use today, on the number of goroutines of a process, or of each group in its profiles.
type rival struct {
	head [2]string // over its column
	// groups applies the rule to each group instead of the process.
	groups bool
	// channel applies the rule only to groups at a channel operation.
	channel bool
	// window is the length of the data in minutes, every the interval of evaluation.
	window, every int
	// holds reports whether the rule fires for the numbers at each minute of the window, NaN if missing. It may modify
	// its argument.
	holds func(levels []float64) bool
}

// rivals returns all rivals in the order of the table.
func rivals() []rival {
	return []rival{
		// The alert in many runbooks.
		{
			head: [2]string{"count", ">1000"}, window: 1, every: 1,
			holds: func(x []float64) bool { return x[len(x)-1] > 1000 },
		},
		// Alerts on deriv() have either of these thresholds: one that rarely fires, and one that detects a slow leak.
		// Evaluation every five minutes delays them by no more than that.
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
		// Uber's LeakProf: 10,000 goroutines of a process blocked at one channel operation.
		{
			head: [2]string{"Leak", "Prof"}, groups: true, channel: true, window: 1, every: 1,
			holds: func(x []float64) bool { return x[len(x)-1] > 10_000 },
		},
		// Trend tests of the literature over six hours: longer than variations of load within an hour, and short enough
		// to be useful.
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
		// The minimum of each group in each half hour, rising through three hours: what a careful person checks by hand.
		{
			head: [2]string{"minimum", "/segment"}, groups: true, window: 180, every: 30,
			holds: func(x []float64) bool { return complete(x) && rises(x) },
		},
	}
}

// normal999 is the 99.9th percentile of the standard normal distribution.
const normal999 = 3.09

// replay applies the rule to one process and reports its alarms.
func (v rival) replay(process int, p process, s *series, report func(alarm)) {
	if len(s.minutes) == 0 {
		return
	}
	if !v.groups {
		v.evaluate(byMinute(s, s.total), func(minute int) { report(alarm{process: process, minute: minute}) })
		return
	}
	for i, g := range p.groups {
		if v.channel && !atChannel(g.state) {
			continue
		}
		count := func(snapshot int) int { return int(s.groups[i].count[snapshot]) }
		v.evaluate(byMinute(s, count), func(minute int) {
			report(alarm{process: process, subject: g.function, minute: minute})
		})
	}
}

// evaluate reports the minutes at which the rule fires for these levels. It skips minutes without data.
func (v rival) evaluate(levels []float64, report func(minute int)) {
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

// byMinute returns a number for each minute, NaN without a snapshot.
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

// trailing fills x with the levels up to a minute, NaN before the first.
func trailing(x, levels []float64, minute int) {
	for i := range x {
		m := minute - len(x) + 1 + i
		x[i] = math.NaN()
		if m >= 0 {
			x[i] = levels[m]
		}
	}
}

package finding

import (
	"math"
	"time"
)

// closable tells whether a version can have closed the finding: no process of a version that
// has shown it is alive, nor one of which the version is not known.
func (r *record) closable(s *service) bool {
	if len(r.Leaking) == 0 || len(s.Processes) == 0 {
		return false
	}
	for _, p := range s.Processes {
		if p.Version == 0 || r.leaks(p.Version) {
			return false
		}
	}
	return true
}

// absentTogether tells whether the service as a whole is believed to leak, and no goroutine of
// the finding is there. Those of new processes would be counted as well. When it is not
// believed any more nobody counts.
func (r *record) absentTogether(s *service) bool {
	return r.Whole != nil && r.Whole.Severity.Value > 0 && r.Whole.empty() && s.Seen.Sub(r.Whole.Seen) <= leastQuiet
}

// absentByDelay tells whether the processes have been there for so long that one of them at
// least would be flagged if they leaked: each for longer than it took, and all together for
// so long that as few in each as escape the detector are a matter of chance no more.
func (r *record) absentByDelay(s *service) bool {
	n := r.Pace.events()
	if r.Delay <= 0 || n <= 0 || r.Pace.Hours <= 0 {
		return false
	}
	// The pace is known from so few that it may be two standard errors less.
	doubt := max(0, 1-2/math.Sqrt(n))
	enough := r.Enough * n / r.Pace.Arrivals // as events
	chance := 0.0
	for _, p := range s.Processes {
		if p.watched() < surely*r.Delay {
			return false
		}
		e := exposureOf(p, r.age())
		expected := n * e.Hours / r.Pace.Hours
		if r.Pace.Births > 0 {
			expected = min(expected, n*e.Births/r.Pace.Births)
		} else {
			expected /= unloaded
		}
		chance += logFewer(enough, doubt*expected)
	}
	return chance <= math.Log(wrong)
}

// surely is by how much longer a process must be watched than it took to detect the leak:
// evidence must last as well.
const surely = 2

// logFewer returns the logarithm of the probability of fewer than n events of a Poisson
// process of which so many are expected.
func logFewer(n, expected float64) float64 {
	switch {
	case n > manyEvents || expected <= 0:
		return 0
	case expected > 5*manyEvents:
		return math.Log(wrong)
	}
	sum, term := 0.0, 1.0
	for k := 0.0; k < n; k++ {
		if k > 0 {
			term *= expected / k
		}
		sum += term
	}
	return min(0, math.Log(sum)-expected)
}

// manyEvents is how many the probability is worked out for; the sum of more may be too large
// for a number.
const manyEvents = 100

// exposures returns for how long processes without the leak were watched: those of each
// version that are there now, and all together, those that are gone included.
func (r *record) exposures(s *service) (byVersion map[int]exposure, all exposure) {
	byVersion, all = make(map[int]exposure), r.Clean
	for _, p := range s.Processes {
		e := exposureOf(p, r.age())
		byVersion[p.Version] = byVersion[p.Version].plus(e)
		all = all.plus(e)
	}
	return byVersion, all
}

// tryClose closes the finding if its absence is certain: by the first version that shows it
// alone, else by the newest, at the latest.
func (r *record) tryClose(s *service, now time.Time) *Change {
	byVersion, all := r.exposures(s)
	if !r.Pace.certain(all) {
		return nil
	}
	by, newest, shown := 0, 0, all
	for v, e := range byVersion {
		if r.Pace.certain(e) && (by == 0 || v < by) {
			by, shown = v, e
		}
		newest = max(newest, v)
	}
	if r.AtLatest = by == 0; r.AtLatest {
		by = newest
	}
	was := r.Severity
	r.Missing = r.Pace.Arrivals * shown.Hours / r.Pace.Hours
	r.Phase, r.Severity, r.ClosedBy, r.Over, r.Held = closed, None, by, now, None
	change := r.change(s, ClosedByVersion, was, now)
	r.clear()
	return change
}

// untilCertain returns how much longer it takes until the absence of the finding is certain,
// as processes go now.
func (r *record) untilCertain(s *service) (time.Duration, bool) {
	if !r.closable(s) {
		return 0, false
	}
	_, all := r.exposures(s)
	perHour := exposure{Hours: float64(len(s.Processes))}
	for _, p := range s.Processes {
		if watched := p.watched(); watched > 0 {
			perHour.Births += p.Born / watched.Hours()
		}
	}
	left, ok := r.Pace.remaining(all, perHour)
	if !ok {
		return 0, false
	}
	least := r.age()
	if !r.absentInCensus(s) && !r.absentTogether(s) {
		if least = surely * r.Delay; least <= 0 {
			return 0, false
		}
	}
	for _, p := range s.Processes {
		left = max(left, least-p.watched())
	}
	return left, true
}

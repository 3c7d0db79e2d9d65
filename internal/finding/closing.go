package finding

import (
	"math"
	"time"
)

// closable reports whether a version can have closed the finding: no process is alive of a
// version that has shown it, or of an unknown version.
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

// absentInWhole reports whether the service as a whole is flagged with a count of 0. The count
// includes new processes. It is unknown once the service is no longer flagged.
func (r *record) absentInWhole(s *service) bool {
	return r.Whole != nil && r.Whole.Severity.Value > 0 && r.Whole.empty() && s.Seen.Sub(r.Whole.Seen) <= minQuiet
}

// absentByDelay reports whether at least one process would be flagged if they leaked: each was
// watched for longer than detection took, and all of them for so long that they cannot all stay
// below what the detector flags by chance.
func (r *record) absentByDelay(s *service) bool {
	n := r.Pace.events()
	if r.Delay <= 0 || n <= 0 || r.Pace.Hours <= 0 {
		return false
	}
	// The pace may be two standard errors lower.
	lowest := max(0, 1-2/math.Sqrt(n))
	enough := r.Enough * n / r.Pace.Arrivals // in events
	logChance := 0.0
	for _, p := range s.Processes {
		if p.watched() < delayFactor*r.Delay {
			return false
		}
		e := exposureOf(p, r.age())
		expected := n * e.Hours / r.Pace.Hours
		if r.Pace.Births > 0 {
			expected = min(expected, n*e.Births/r.Pace.Births)
		} else {
			expected /= unknownLoadFactor
		}
		logChance += logFewer(enough, lowest*expected)
	}
	return logChance <= math.Log(alpha)
}

// delayFactor is the time that each process must be watched, as a multiple of the time that
// detection took: evidence must last as well.
const delayFactor = 2

// logFewer returns the logarithm of the probability of fewer than n events of a Poisson process
// with this expectation.
func logFewer(n, expected float64) float64 {
	switch {
	case n > manyEvents || expected <= 0:
		return 0
	case expected > 5*manyEvents:
		return math.Log(alpha)
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

// manyEvents bounds the events for which logFewer sums: more may overflow.
const manyEvents = 100

// exposures returns the exposure of processes without the leak: by version of those that are
// alive, and of all, including those that are gone.
func (r *record) exposures(s *service) (byVersion map[int]exposure, all exposure) {
	byVersion, all = make(map[int]exposure), r.Clean
	for _, p := range s.Processes {
		e := exposureOf(p, r.age())
		byVersion[p.Version] = byVersion[p.Version].plus(e)
		all = all.plus(e)
	}
	return byVersion, all
}

// tryClose closes the finding if its absence is certain: by the first version whose exposure alone
// suffices, else by the newest version, with AtLatest. It returns nil if the absence is not certain.
func (r *record) tryClose(s *service, now time.Time) *Change {
	byVersion, all := r.exposures(s)
	if !r.Pace.certain(all) {
		return nil
	}
	by, newest, exposed := 0, 0, all
	for v, e := range byVersion {
		if r.Pace.certain(e) && (by == 0 || v < by) {
			by, exposed = v, e
		}
		newest = max(newest, v)
	}
	if r.AtLatest = by == 0; r.AtLatest {
		by = newest
	}
	was := r.Severity
	r.Missing = r.Pace.Arrivals * exposed.Hours / r.Pace.Hours
	r.Phase, r.Severity, r.ClosedBy, r.Over, r.Held = closed, None, by, now, None
	change := r.change(s, ClosedByVersion, was, now)
	whole := r.Whole
	r.clear()
	if whole.shows() {
		whole.Unseen, whole.Low = true, whole.Count.Value
		r.Whole = whole
	}
	return change
}

// untilCertain returns the time until the absence of the finding is certain, if the processes
// continue at their present rates. It returns false if that is unknown.
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
	if !r.absentInCensus(s) && !r.absentInWhole(s) {
		if least = delayFactor * r.Delay; least <= 0 {
			return 0, false
		}
	}
	for _, p := range s.Processes {
		left = max(left, least-p.watched())
	}
	return left, true
}

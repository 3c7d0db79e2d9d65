package growth

import (
	"math"
	"time"
)

// Timestamps come from other machines' clocks, which may be wrong. If one far in the future were
// accepted, the evidence would ignore all data until then.

// maxTimeStep is how much the time of an observation may differ from the previous one without
// being doubted. It admits a collector that was down for a night.
const maxTimeStep = 24 * time.Hour

// latestTime is the last accepted time, in Unix seconds: in the year 2106. So arithmetic on
// nanoseconds does not overflow.
const latestTime = math.MaxUint32

// isValid reports whether the values of an observation are acceptable.
func (o *Observation) isValid() bool {
	s := o.At.Unix()
	return s >= 0 && s < latestTime && isCountable(o.Count) &&
		o.Bound >= 0 && o.Bound <= maxBound && isCountable(o.FirstCount) &&
		(!o.Census || isCountable(o.Aged) && isCountable(o.Exits))
}

// maxBound is the largest accepted age bound: a year.
const maxBound = 365 * 24 * time.Hour

func isCountable(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// inTime reports whether to accept an observation at this time: if it is later than the previous one.
// One that is far from it is rejected, and the next one decides: if that is near the rejected one,
// the clock was set or there was no data for long. If the clock was set back, the evidence
// restarts.
func (e *Evidence) inTime(now int64) bool {
	if e.last == 0 || isNear(e.last, now) {
		e.rejected = 0
		return now > e.last
	}
	if e.rejected == 0 || now <= e.rejected || !isNear(e.rejected, now) {
		e.rejected = now
		return false
	}
	if now < e.last {
		*e = Evidence{}
	}
	e.rejected = 0
	return true
}

func isNear(a, b int64) bool { return max(a, b)-min(a, b) <= int64(maxTimeStep) }

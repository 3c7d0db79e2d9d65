package growth

import (
	"math"
	"time"
)

// Time stamps come from clocks of others, which are wrong now and then. One that is
// believed and lies far ahead would make the evidence blind until that time has come.

// farAway is by how much the time of an observation may differ from that of the one
// before without being doubted. A collector that was away for a night is no reason for
// doubt.
const farAway = 24 * time.Hour

// latest is the last time that is believed at all, in Unix seconds: in the year 2106.
// The arithmetic on nanoseconds stays far from the largest number.
const latest = math.MaxUint32

// sound tells whether an observation can be taken at all.
func (o *Observation) sound() bool {
	s := o.At.Unix()
	return s >= 0 && s < latest && countable(o.Count) &&
		o.Bound >= 0 && o.Bound <= maxBound && countable(o.FirstCount) &&
		(!o.Census || countable(o.Aged) && countable(o.Exits))
}

// maxBound is the largest age bound that is believed: a year.
const maxBound = 365 * 24 * time.Hour

func countable(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// inTime tells whether an observation of this time is to be taken: if it is later than
// the one before. One that is far away from it is set aside, and the next decides: if
// it is near the one that was set aside, then the clock was set, or nobody looked for
// long. Data of before a time that was too late are of no use, so the evidence begins
// afresh after a clock that is set back.
func (e *Evidence) inTime(now int64) bool {
	if e.last == 0 || near(e.last, now) {
		e.jump = 0
		return now > e.last
	}
	if e.jump == 0 || now <= e.jump || !near(e.jump, now) {
		e.jump = now
		return false
	}
	if now < e.last {
		*e = Evidence{}
	}
	e.jump = 0
	return true
}

func near(a, b int64) bool { return max(a, b)-min(a, b) <= int64(farAway) }

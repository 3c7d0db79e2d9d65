package growth

import "time"

// Growth from the start of a process is the hard case: pools, workers that start when their key is
// first requested, a fleet of devices that reconnects after a deploy. So growth that begins within
// an hour of the time at which goroutines can be aged must also pass two more tests: growth must
// not slow down, in former lives either, and the goroutines must not be held by a peer.

// youngDurations is how long after the first goroutine can be aged growth counts as growth from the
// start of the process, in MinDurations: an hour at the default. Disconnected clients return within
// that time, most of them within minutes; a leak that begins later did not begin with the process.
const youngDurations = 2

// reconnectDurations is how long after the start of a process goroutines that are held by a peer are
// not evidence, in MinDurations: two hours at the default. Thousands of devices that reconnect evenly
// within an hour differ from a leak of the same pace only in what they wait for.
const reconnectDurations = 4

// lifeKept is the share of the trends of former lives that is kept when another life ends. It keeps
// some ten lives: a version that leaks must not have to outweigh a year of deploys.
const lifeKept = 0.9

// withStart reports whether growth seems to have begun with the process.
func (e *Evidence) withStart(r *Rules, bound time.Duration, begun int64) bool {
	return e.process != 0 && begun <= e.process+int64(bound+youngDurations*r.MinDuration)
}

// heldByPeer reports whether the growth may be clients that reconnect.
func (e *Evidence) heldByPeer(r *Rules, o *Observation, begun int64) bool {
	return o.HeldByPeer && e.withStart(r, o.Bound, begun) && e.last < e.process+int64(o.Bound+reconnectDurations*r.MinDuration)
}

// fillsPool reports whether the growth may be a pool that fills: growth that began with the process and
// slows down in this life and the former ones together, or growth in the first MaxLifetime of a
// process whose service shows that such growth slows down.
func (e *Evidence) fillsPool(r *Rules, o *Observation, begun int64, growing []knot) bool {
	if o.replicated() && o.Service.slows() && e.last-e.first < int64(o.Bound+r.MaxLifetime) {
		return true
	}
	if !e.withStart(r, o.Bound, begun) {
		return false
	}
	this, a := trendOf(growing, segment(r))
	lives := e.formerTrend.plus(this)
	return lives.earlier(slownessYoung) && float64(lives.deviation) < -unevenness*a.n*a.hours
}

// slownessYoung is by how many standard deviations the arrivals of this life and the former ones must
// be early. It trades late detection against false alarms from pools and lazy workers. In the
// detection table 8.0% of the isolated leaks are late at 0.91, and 7.5% at 0.95 with one more
// false alarm.
const slownessYoung = 0.91

// endLife adds the trend of a life that has ended to those of former lives, and returns the life; nil
// if it had no arrivals and no exits.
func (e *Evidence) endLife(r *Rules, o *Observation) *Life {
	former := e.Life(r, o.Bound, o.HeldByPeer)
	if e.population.grown() >= 1 {
		var room [maxKnots]knot
		this, _ := trendOf(e.floors.history(e.arrivalBase(), e.floors.place(r, e.first+int64(o.Bound)), room[:0]), segment(r))
		e.formerTrend.deviation = lifeKept*e.formerTrend.deviation + this.deviation
		e.formerTrend.variance = lifeKept*e.formerTrend.variance + this.variance
	}
	if former.Arrivals == 0 && former.Exits == 0 {
		return nil
	}
	return &former
}

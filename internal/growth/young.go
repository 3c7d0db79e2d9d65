package growth

import "time"

// What fills from the start of a process is the hard case: pools, workers that are
// started for each key when it is first asked for, a fleet of devices that connects again
// after a deploy. So growth that begins within an hour of the time at which anybody can
// be aged must also stand up to what can acquit it: former lives of the process, whose
// growth may have slowed down, and the peer.

// young is how long after the first goroutine can be aged a growth counts as one that
// fills from the start, in minimum durations: an hour at the default. Clients that were cut
// off come back within that time, most of them within minutes; a leak that begins later has
// not begun with the process.
const young = 2

// reconnection is for how long after the start of a process those who are held by a peer
// are no evidence, in minimum durations: two hours at the default. Thousands of devices
// that connect again evenly within an hour look like a leak of the same pace in everything
// but in what they wait for.
const reconnection = 4

// lifeKept is the share of the trends of former lives that is kept when another ends. It
// keeps some ten lives: a version that leaks must not have to outweigh all the deploys
// of a year.
const lifeKept = 0.9

// withStart tells whether a growth began with the process, as far as that can be seen.
func (e *Evidence) withStart(r *Rules, bound time.Duration, begun int64) bool {
	return e.process != 0 && begun <= e.process+int64(bound+young*r.MinDuration)
}

// heldByPeer tells whether those who make a growth may be clients that connect again.
func (e *Evidence) heldByPeer(r *Rules, o *Observation, begun int64) bool {
	return o.HeldByPeer && e.withStart(r, o.Bound, begun) && e.last < e.process+int64(o.Bound+reconnection*r.MinDuration)
}

// fills tells whether a growth may be what fills a pool: one that began with the process
// and has slowed down in this life and the former ones together, or one in the first
// MaxLifetime of a process whose service shows that such growth slows down.
func (e *Evidence) fills(r *Rules, o *Observation, begun int64, growing []knot) bool {
	if o.replicated() && o.Service.slows() && e.last-e.first < int64(o.Bound+r.MaxLifetime) {
		return true
	}
	if !e.withStart(r, o.Bound, begun) {
		return false
	}
	this, a := trendOf(growing, segment(r))
	lives := e.former.plus(this)
	return lives.earlier(slownessYoung) && float64(lives.deviation) < -unevenness*a.n*a.hours
}

// slownessYoung is by how many standard deviations the arrivals of this life and the former
// ones must come too early. It trades late leaks against pools and keys. In the detection
// table 8.0% of the leaks alone are late at 0.91; at 0.95 it was 7.5%, with one more false
// alarm.
const slownessYoung = 0.91

// endLife adds the trend of a life that is over to those of the lives before it, and
// returns what the life was; nil if nobody came or left in it.
func (e *Evidence) endLife(r *Rules, o *Observation) *Life {
	former := e.Life(r, o.Bound, o.HeldByPeer)
	if e.population.grown() >= 1 {
		var room [maxKnots]knot
		this, _ := trendOf(e.floors.history(e.trendBase(), e.floors.place(r, e.first+int64(o.Bound)), room[:0]), segment(r))
		e.former.deviation = lifeKept*e.former.deviation + this.deviation
		e.former.variance = lifeKept*e.former.variance + this.variance
	}
	if former.Arrivals == 0 && former.Exits == 0 {
		return nil
	}
	return &former
}

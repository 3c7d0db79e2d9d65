// Package growth judges numbers over time: does what they count leak?
//
// It knows nothing of stacks, processes or metrics. One Evidence watches one
// stream, a group of goroutines or a process's memory, and costs a constant few
// hundred bytes. It is pure arithmetic on the observations' own times, so a day
// can be replayed in a second, and the same input always gives the same verdict.
//
// Three questions make a verdict, in a file each:
//
//   - does the floor of the level rise, and is it still rising? (floor.go)
//   - are exits so rare that nothing this old would still be in use? (lifetime.go, and
//     cohort.go for whose hours count)
//   - was the same population ever seen to empty? (population.go)
package growth

import (
	"math"
	"time"
)

// Severity is how sure a verdict is.
type Severity uint8

// The severities, and what each rests on.
const (
	None      Severity = iota
	Suspected          // growth
	Probable           // growth, and lifetimes longer than any that the service has; or growth that outlived a day or a restart
	Confirmed          // the runtime's own proof; never the verdict of this package
)

// Rules are what the user knows of the service. The zero value is of no use:
// every field must be above 0.
type Rules struct {
	// MinDuration is the shortest time over which growth counts.
	MinDuration time.Duration
	// MinLeaked is the least growth that is worth a flag, in the unit of the
	// level: goroutines or bytes.
	MinLeaked float64
	// MaxLifetime is the longest that a healthy goroutine of the service
	// reasonably lives. Where nothing is known but the level, growth must last
	// for as long: until then it may be load.
	MaxLifetime time.Duration
}

// Observation is what was seen of one stream at one time: of a group of goroutines
// at one age level, or of a process's memory.
type Observation struct {
	// At is the time of the data.
	At time.Time
	// Start is since when the process has been watched: the start timestamp
	// of its counters. A later one than before means another process. Zero
	// is unknown.
	Start time.Time
	// First is when the group was first observed in this process, and FirstCount
	// its Count then: the residents, whose becoming aged is no arrival. If First
	// is zero, they are taken from the first observation of the Evidence. A level
	// whose Evidence is made later than the group's needs them.
	First      time.Time
	FirstCount float64
	// Count is the number there are: goroutines or bytes.
	Count float64
	// Census tells whether Aged and Exits are known.
	Census bool
	// Bound is the age from which on a goroutine counts as aged at this level.
	// It must be the same in all observations of an Evidence.
	Bound time.Duration
	// Aged is how many of Count are at least as old as Bound.
	Aged float64
	// Exits is how many that were at least as old as Bound have left since Start.
	Exits float64
	// HeldByPeer tells that the goroutines wait for the other end of a connection
	// (state io_wait), so that it is for the peer to end them.
	HeldByPeer bool
}

// Verdict is what the evidence says now.
type Verdict struct {
	Severity Severity
	// Leaked is how many are believed leaked now, in the unit of the level:
	// those that have come since the watching began and not left.
	Leaked float64
	// PerHour is how fast that grows.
	PerHour float64
	// Since is when the growth began that was last shown. Zero if Severity is None.
	Since time.Time
	// Exits is how many aged goroutines have left since the Evidence was first
	// flagged in this process. 0 if Severity is None.
	Exits float64
	// Ended is why Severity is None although it was not at the observation before.
	Ended End
}

// End is the reason for which a flag ended.
type End uint8

// The reasons. NotEnded is that of a verdict with which no flag ends.
const (
	NotEnded    End = iota
	Left            // half of what had grown is gone
	Slowed          // the growth has not been seen for as long as it is believed
	ProcessGone     // another process took the place of the one that was flagged
)

// Evidence is what is remembered of one stream. The zero value is ready. It is
// not safe for concurrent use. It holds no pointers.
type Evidence struct {
	last  int64 // time of the latest observation, Unix ns
	start int64 // of the process, Unix ns; 0 is unknown

	floors     floors
	lifetime   lifetime
	belief     belief
	population population
	census     bool // the level is the aged, not the count
	resumes    bool // whoever watches the process is new, and has yet to see its goroutines age
}

// Observe takes the next observation and returns the verdict that holds from
// then on. An observation that is not later than the one before, or has a
// number that is negative or not finite, is passed over.
//
// The level that is judged is the aged goroutines, where they are known, and the
// count elsewhere. A stream that had a census and comes without one for
// MinDuration is judged by its count from then on, afresh.
func (e *Evidence) Observe(r *Rules, o Observation) Verdict {
	now := o.At.UnixNano()
	if now <= e.last || !countable(o.Count) || o.Census && !(countable(o.Aged) && countable(o.Exits)) {
		return e.belief.verdict(e.population.grown())
	}
	e.noticeProcess(r, o)
	if e.resumes && !e.resumed(r, o, now) || !e.chooseLevel(r, o, now) {
		e.last = now
		return e.belief.verdict(e.population.grown())
	}
	level := o.Count
	if e.census {
		level = o.Aged
	}
	e.population.observe(r, level, o.Count, e.census, time.Duration(now-e.last))
	if e.census {
		e.lifetime.observe(r, o, float64(e.population.base), now)
	}
	e.last = now
	e.floors.observe(r, level, now)
	return e.judge(r, now)
}

// Grown returns by how much the level has grown since the watching began, or since it
// was lowest.
func (e *Evidence) Grown() float64 { return e.population.grown() }

// Last returns the time of the latest observation.
func (e *Evidence) Last() time.Time { return time.Unix(0, e.last) }

func countable(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// noticeProcess notices that the process is another one, or that whoever watches it
// is: a collector that was restarted counts from a later start, too. Then as many
// goroutines are there as were aged before, and need only be seen to age again.
func (e *Evidence) noticeProcess(r *Rules, o Observation) {
	if o.Start.IsZero() {
		return
	}
	start := o.Start.UnixNano()
	if e.start != 0 && start > e.start {
		if e.census && o.Census && e.population.level > 0 && o.Count >= float64(e.population.level) {
			e.resumes = true
			e.lifetime.pause()
		} else {
			e.restart(r)
		}
	}
	e.start = max(e.start, start)
}

// restart starts afresh what a new process starts afresh. What is known of lifetimes
// and of past populations is known of the code, and stays.
func (e *Evidence) restart(r *Rules) {
	e.belief.restart(e.grewToTheEnd(r))
	e.lifetime.restart(e.hoursToTheEnd(r))
	e.floors = floors{}
	e.population.restart()
	e.resumes = false
}

// resumed tells whether the level can be observed again, because the goroutines have
// aged again, or will not: too few are left, or it takes longer than it can.
func (e *Evidence) resumed(r *Rules, o Observation, now int64) bool {
	level := float64(e.population.level)
	switch {
	case o.Census && o.Aged >= mostOf*level:
		e.resumes = false
		// What came while nobody looked may have come at once: it may be
		// another process after all, with a larger pool.
		if unseen := float32(o.Aged - level); unseen > 0 {
			e.floors.lift(unseen)
		}
	case o.Count < mostOf*level, now-e.start > int64(r.MinDuration):
		e.restart(r)
	}
	return !e.resumes
}

// mostOf is the share of those that were aged that must be there again: some may have
// left meanwhile.
const mostOf = 0.9

// grewToTheEnd returns how long the life of a process was whose count grew to its
// end, over a good part of it; 0 if it did not.
func (e *Evidence) grewToTheEnd(r *Rules) time.Duration {
	rise, rising := e.floors.rising(r, true)
	lived := time.Duration(e.last - e.start)
	if e.census || !rising || rise.horizon < lived/4 {
		return 0
	}
	return lived
}

// hoursToTheEnd returns the hours of those who made the growth of a process, and of the
// processes before, that grew to its end; 0 if it did not.
func (e *Evidence) hoursToTheEnd(r *Rules) float64 {
	found, rising := e.floors.rising(r, false)
	if !e.census || !rising {
		return 0
	}
	return float64(e.lifetime.before) + e.floors.hours(r, e.floors.sinceBeginning(r, found, nil), e.last)
}

// chooseLevel settles which number is the level, and tells whether this
// observation has it.
func (e *Evidence) chooseLevel(r *Rules, o Observation, now int64) bool {
	switch {
	case o.Census == e.census:
		return true
	case e.census && now-e.lifetime.at < int64(r.MinDuration):
		return false
	default:
		e.census = o.Census
		e.floors = floors{}
		e.lifetime.restart(0)
		e.population.restart()
		return true
	}
}

// outlasting tells how sure it is that those who make a growth live longer than any
// that is healthy, and that they keep coming; and whether no more is known than that it
// lasts for longer than load does.
func (e *Evidence) outlasting(r *Rules, found rise, now int64) (severity Severity, load bool) {
	var room [maxKnots]knot
	knots := e.floors.sinceBeginning(r, found, room[:0])
	hours := float64(e.lifetime.hours)
	if found.horizon < cycle { // else it is no part of them that has come since
		hours = min(hours, float64(e.lifetime.before)+e.floors.hours(r, knots, now))
	}
	switch {
	case slows(knots, float64(e.population.base)):
		return None, false
	case e.lifetime.exceeds(r.MaxLifetime, hours, probableAlpha):
		return Probable, false
	case e.lifetime.exceeds(r.MaxLifetime, hours, suspectedAlpha):
		return Suspected, false
	case e.outlastsLoad(r):
		return Suspected, true
	}
	return None, false
}

// outlastsLoad tells whether the level has grown for longer than load does, whoever
// leaves meanwhile: those who wait at a line for ever may wait among those who do not.
func (e *Evidence) outlastsLoad(r *Rules) bool {
	found, rising := e.floors.rising(r, true)
	return rising && found.horizon >= max(r.MaxLifetime, cycle/2)
}

// judge puts the three answers together.
func (e *Evidence) judge(r *Rules, now int64) Verdict {
	// The aged need no allowance for chance: whoever comes and goes has exits.
	rise, rising := e.floors.rising(r, !e.census)
	severity, load := None, false
	switch {
	case !rising, !e.population.outgrown(rise.horizon, e.census):
	case e.census:
		severity, load = e.outlasting(r, rise, now)
	case rise.horizon+e.belief.carried() >= r.MaxLifetime: // until then load may rise
		severity = Suspected
	}
	e.belief.update(severity, load, rise, e.population.grown(), now)
	return e.belief.verdict(e.population.grown())
}

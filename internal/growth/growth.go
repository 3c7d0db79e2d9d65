// Package growth judges numbers over time: does what they count leak?
//
// It knows nothing of stacks, processes or metrics. One Evidence watches one
// stream, a group of goroutines at one age level or a process's memory, and costs a
// constant few hundred bytes. It is pure arithmetic on the observations' own times, so a day
// can be replayed in a second, and the same input always gives the same verdict.
//
// Goroutines that leak often stand where healthy ones come and go. Among sessions of an
// hour nobody is left after ten, so each group is watched at several age levels, by an
// Evidence each, and the worst of their verdicts holds. Each level has all of the error
// that is allowed: divided among four, leaks that stand alone were found a tenth later,
// and precision was the same.
//
// Four questions make a verdict, in a file each (process.go tells when a life of a process
// ends, life.go what lives show together, companions.go which groups are one leak):
//
//   - does the floor of the level rise, and is it still rising? (floor.go, slowing.go)
//   - are exits so rare that nothing this old would still be in use? (lifetime.go, and
//     cohort.go for whose hours count)
//   - was the same population ever seen to empty? (population.go)
//   - may it be what fills from the start of a process? (young.go)
package growth

import "time"

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
	// Process is what the Evidence of the group's lowest level returns from Process,
	// after it has taken its own observation: only at that level it can be told soon
	// whether a later Start means another process or another watcher. Zero at the lowest
	// level itself.
	Process time.Time
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
	// Service is what the lives of all instances of the service, this one among them, have
	// shown at this level; nil if that is not known.
	Service *Life
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
	// Ended is why Severity is None although it was not at the observation before.
	Ended End
	// Former is the life of a process in whose place another one was observed; nil as a
	// rule.
	Former *Life
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

// Evidence is what is remembered of one stream, at one age level. The zero value is
// ready. It is not safe for concurrent use. It holds no pointers.
type Evidence struct {
	last    int64 // time of the latest observation, Unix ns
	jump    int64 // time of an observation that was too far from last to be believed; 0 if none
	start   int64 // since when the process is watched, Unix ns; 0 is unknown
	process int64 // since when it was watched at first, Unix ns
	first   int64 // when the group was first observed in it, Unix ns

	newcomers float32 // those who were there then, few, in a process that was watched already

	floors     floors
	lifetime   lifetime
	belief     belief
	population population
	former     trend // of former lives of the process
	census     bool  // the level is the aged, not the count
	resumes    bool  // the watcher of the process is new, and has yet to see its goroutines age
}

// Observe takes the next observation and returns the verdict that holds from
// then on. An observation that is not later than the one before, or has a
// number that is negative or not finite, is passed over; so is one whose time is too
// far off, unless the next one agrees.
//
// The level that is judged is the aged goroutines, where they are known, and the
// count elsewhere. A stream that had a census and comes without one for
// MinDuration is judged by its count from then on, afresh.
func (e *Evidence) Observe(r *Rules, o Observation) Verdict {
	if !o.sound() || !e.inTime(o.At.UnixNano()) {
		return e.verdict(NotEnded)
	}
	now := o.At.UnixNano()
	begins := e.last == 0
	ended, former := e.noticeProcess(r, &o)
	if begins {
		e.begin(r, &o)
	}
	if e.resumes {
		ended, former = e.resume(r, &o)
	}
	if e.resumes || !e.chooseLevel(r, &o) {
		e.last = now
		return e.verdict(ended).after(former)
	}
	level := o.Count
	if e.census {
		level = o.Aged
	}
	e.population.observe(r, level, e.census, time.Duration(now-e.last))
	if e.census {
		e.lifetime.observe(r, o, float64(e.population.base), now)
	}
	e.last = now
	closed := e.floors.closed
	e.floors.observe(r, level, now)
	// A flag that is up is held for longer than a segment.
	var s shown
	if e.belief.severity < Probable || closed != e.floors.closed {
		s = e.judge(r, &o)
	}
	return e.verdict(max(ended, e.belief.update(s, e.census, e.population.grown(), now))).after(former)
}

// ObserveUntil takes an observation, and that nothing changed after it until a time. The
// evidence is what it would be had the same been observed again and again, but that no
// flag is raised in between. What lies further back than floors are remembered is left out.
func (e *Evidence) ObserveUntil(r *Rules, o Observation, until time.Time) {
	if reach := until.Add(-reach(r)); o.At.Before(reach) {
		o.At = reach
	}
	e.Observe(r, o)
	// The floor of a segment goes on where nothing is observed, and that of the first
	// may be one of before.
	if end := timeOf(e.floors.end); end.After(o.At) {
		o.At = end
	}
	for ; o.At.Before(until); o.At = o.At.Add(farAway / 4) {
		e.Observe(r, o)
	}
	o.At = until
	e.Observe(r, o)
}

// Grown returns by how much the level has grown since the watching began, or since it
// was lowest.
func (e *Evidence) Grown() float64 { return e.population.grown() }

// Last returns the time of the latest observation.
func (e *Evidence) Last() time.Time { return time.Unix(0, e.last) }

// Process returns since when the process has been watched, by the present watcher or one
// before it; zero if unknown. That of a group's lowest level belongs into the observations
// of the levels above.
func (e *Evidence) Process() time.Time { return timeOf(e.process) }

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// verdict returns what is believed.
func (e *Evidence) verdict(ended End) Verdict {
	if e.belief.severity == None {
		return Verdict{Ended: ended}
	}
	return Verdict{
		Severity: e.belief.severity,
		Leaked:   e.population.grown(),
		PerHour:  float64(e.belief.perHour),
		Since:    timeOf(e.belief.begun),
	}
}

// after returns the verdict with the life of the process before.
func (v Verdict) after(former *Life) Verdict {
	v.Former = former
	return v
}

// chooseLevel settles which number is the level, and tells whether this
// observation has it.
func (e *Evidence) chooseLevel(r *Rules, o *Observation) bool {
	switch {
	case o.Census == e.census:
		return true
	case e.census && o.At.UnixNano()-e.lifetime.at < int64(r.MinDuration):
		return false
	}
	if e.floors.end != 0 { // else the residents are known already
		e.first = o.At.UnixNano()
		e.population.begin(o.Count)
	}
	e.census = o.Census
	e.floors = floors{}
	e.lifetime.restart()
	return true
}

// judge tells what the evidence shows now.
func (e *Evidence) judge(r *Rules, o *Observation) shown {
	base := float64(e.population.base)
	switch {
	case e.population.grown() < r.MinLeaked,
		e.census && !e.lifetime.exceeds(r.MaxLifetime, float64(e.lifetime.hours), suspectedAlpha):
		return shown{}
	}
	// The aged need no allowance for chance: those who come and go have exits.
	if e.first > e.process+int64(young*r.MinDuration) {
		// The first of a group that appears while the process is watched are a
		// step, as any later ones are; at what time they came is all that is unknown.
		base = 0
	}
	found, rising := e.floors.rising(r, base, !e.census)
	if !rising || !e.population.outgrown(found.horizon, e.census) {
		return shown{}
	}
	s := shown{rise: found, begun: e.last - int64(found.horizon)}
	if e.census {
		s.severity, s.begun = e.outlasting(r, o, found)
	} else {
		// Lives that slowed down as they grew filled up, as pools do in every life.
		s.again = !e.former.earlier(slownessYoung)
		grew := found.horizon
		if s.again {
			grew += e.belief.carried()
		}
		if grew >= r.MaxLifetime { // until then load may rise
			s.severity = Suspected
		}
	}
	return s
}

// trendBase is the level from which on arrivals have a time that says something of the
// pace. The first of a group come before it is seen for the first time.
func (e *Evidence) trendBase() float64 {
	return float64(max(e.population.base, e.newcomers))
}

// outlasting tells how sure it is that those who make a growth live longer than any
// that is healthy, and that they keep coming; and when the growth began.
func (e *Evidence) outlasting(r *Rules, o *Observation, found rise) (Severity, int64) {
	var room [maxKnots]knot
	from := e.floors.place(r, e.first+int64(o.Bound))
	knots := e.floors.history(e.trendBase(), from, room[:0])
	growing := sinceBeginning(r, found, knots)
	begun := e.floors.timeOf(r, growing[len(growing)-1])
	severity := e.longLived(r, o, growing, from)
	if severity == None || e.heldByPeer(r, o, begun) {
		return None, 0
	}
	// A leak that was found need not prove again that it keeps its pace: by chance, one
	// of six seems to have slowed down for hours. That it goes on is enough.
	if e.belief.severity == Probable || !e.slows(r, growing, found, severity) && !e.fills(r, o, begun, growing) {
		return severity, begun
	}
	// What filled in the beginning hides what goes on after it.
	if e.last-e.first < int64(o.Bound)+int64(lateAfter(o)*float64(r.MaxLifetime)) {
		return None, 0
	}
	late := lateGrowth(knots, from)
	severity = e.longLived(r, o, late, from)
	if severity == None || !keepsPace(r, o, late) {
		return None, 0
	}
	return severity, e.floors.timeOf(r, late[len(late)-1])
}

// longLived tells how sure it is that those who have come since the earliest of the knots
// live longer than any that is healthy.
func (e *Evidence) longLived(r *Rules, o *Observation, knots []knot, from float64) Severity {
	hours := e.floors.hours(r, knots, e.last)
	if first := knots[len(knots)-1].at; first <= from {
		// The first few belong to the growth, though their times say nothing of its pace.
		hours += float64(e.newcomers) * (knots[0].at - first) * segment(r).Hours()
	}
	hours = min(float64(e.lifetime.hours), hours)
	switch {
	case e.lifetime.exceeds(r.MaxLifetime, hours, probableAlpha/o.chances()):
		return Probable
	case e.lifetime.exceeds(r.MaxLifetime, hours, suspectedAlpha/o.chances()):
		return Suspected
	}
	return None
}

// Package growth decides whether a number that is observed over time leaks.
//
// It knows nothing of stacks, processes or metrics. An Evidence observes one stream, such as a
// group of goroutines at one age level or a process's memory, in a few hundred bytes. It is
// pure arithmetic on the times of the observations, so a day can be replayed in a second, and
// the same input always gives the same verdict.
//
// Leaked goroutines often have the same signature as healthy ones that come and go. No session
// of an hour is left after ten, so each group is observed at several age levels, with an
// Evidence each, and the most severe verdict counts. Each level may use the whole error
// probability: dividing it by four delayed the detection of isolated leaks by nearly a tenth, at
// the same precision (docs/decisions/growth.md).
//
// Four questions make a verdict, each in a file of its own (process.go detects new processes,
// life.go adds up the lives of a service, companions.go finds the groups of one leak):
//
//   - does the floor of the level rise, and is it still rising? (floor.go, slowing.go)
//   - are exits so rare that healthy goroutines would not live so long? (lifetime.go, and
//     cohort.go for the hours that count)
//   - has the same population ever been seen to empty? (population.go)
//   - may it be a pool that fills after the start of the process? (young.go)
package growth

import "time"

// Severity is the confidence of a verdict.
type Severity uint8

// Severities, and what each is based on.
const (
	None      Severity = iota
	Suspected          // growth
	Probable           // growth, and lifetimes longer than MaxLifetime; or growth that lasted for a day or beyond a restart
	Confirmed          // proof of the runtime; never a verdict of this package
)

// Rules are what the user knows about the service. All fields must be positive.
type Rules struct {
	// MinDuration is the shortest time over which growth counts.
	MinDuration time.Duration
	// MinLeaked is the least growth to flag, in the unit of the level: goroutines or bytes.
	MinLeaked float64
	// MaxLifetime is the longest that a healthy goroutine of the service reasonably lives.
	// If only the level is known, growth must last as long, since load may grow until then.
	MaxLifetime time.Duration
}

// Observation is the state of one stream at one time: of a group of goroutines at one age level,
// or of a process's memory.
type Observation struct {
	// At is the time of the data.
	At time.Time
	// Start is since when the process has been watched: the start timestamp of its
	// counters. A later Start than before means another process. Zero if unknown.
	Start time.Time
	// First is when the group was first observed in this process, and FirstCount its Count
	// then: the residents, who are not arrivals when they become aged. If First is zero,
	// the first observation of the Evidence counts. They are required for a level whose
	// Evidence is created later than the group's.
	First      time.Time
	FirstCount float64
	// Process is the result of Evidence.Process for the group's lowest level, after it has
	// observed the same data: only that level can tell quickly whether a later Start means
	// another process or another watcher. Zero at the lowest level itself.
	Process time.Time
	// Count is the present number of goroutines or bytes.
	Count float64
	// Census reports whether Aged and Exits are known.
	Census bool
	// Bound is the age from which a goroutine is aged at this level. It must be the same in
	// all observations of an Evidence.
	Bound time.Duration
	// Aged is how many of Count are at least as old as Bound.
	Aged float64
	// Exits is how many goroutines at least as old as Bound have exited since Start.
	Exits float64
	// Service is the sum of the lives of all instances of the service at this level,
	// including this one; nil if unknown.
	Service *Life
	// HeldByPeer reports whether the goroutines wait for the other end of a connection
	// (state io_wait), so that only the peer can end them.
	HeldByPeer bool
}

// Verdict is the conclusion from the evidence so far.
type Verdict struct {
	Severity Severity
	// Leaked is how much is believed leaked now, in the unit of the level: arrivals since
	// the first observation that have not left.
	Leaked float64
	// PerHour is the growth rate of Leaked.
	PerHour float64
	// Since is when the growth began that was shown last. Zero if Severity is None.
	Since time.Time
	// Ended is why Severity has become None with this observation.
	Ended End
	// Former is the life of the previous process, if this observation is the first of
	// another one; otherwise nil.
	Former *Life
}

// End is the reason why a flag ended.
type End uint8

// Reasons. NotEnded means that no flag ended.
const (
	NotEnded    End = iota
	Left            // half of the growth is gone
	Slowed          // growth has not been shown for as long as it is believed
	ProcessGone     // another process has replaced the flagged one
)

// Evidence is the state of one stream at one age level. The zero value is ready to use. It holds
// no pointers. It is not safe for concurrent use.
type Evidence struct {
	last     int64 // time of the latest observation, Unix ns
	rejected int64 // time of an observation that was ignored as too far from last, Unix ns; 0 if none
	start    int64 // since when the process is watched, Unix ns; 0 if unknown
	process  int64 // since when it was watched by any watcher, Unix ns
	first    int64 // when the group was first observed in the process, Unix ns

	newcomers float32 // count at that time, if small, in a process that was already watched

	floors      floors
	lifetime    lifetime
	belief      belief
	population  population
	formerTrend trend // sum over former lives of the process
	census      bool  // the level is Aged, not Count
	sparse      bool  // the latest observation came more than MinDuration after the previous one
	resuming    bool  // a new watcher has not yet seen goroutines age
}

// Observe adds an observation and returns the verdict. It ignores an observation that is not
// later than the previous one or has a number that is negative or not finite, and one whose time
// is far from the previous one, unless the next one agrees.
//
// The level is Aged if it is known, else Count. If a stream with a census has had none for
// MinDuration, the evidence restarts with Count.
func (e *Evidence) Observe(r *Rules, o Observation) Verdict {
	if !o.isValid() || !e.inTime(o.At.UnixNano()) {
		return e.verdict(NotEnded)
	}
	now := o.At.UnixNano()
	begins := e.last == 0
	e.noteGap(r, now)
	ended, former := e.noticeProcess(r, &o)
	if begins {
		e.begin(r, &o)
	}
	if e.resuming {
		ended, former = e.resume(r, &o)
	}
	if e.resuming || !e.chooseLevel(r, &o) {
		e.belief.extend(now - e.last)
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
	// An active flag is held for longer than a segment, so it need not be assessed each time.
	var s growthSign
	if e.belief.severity < Probable || closed != e.floors.closed {
		s = e.assess(r, &o)
	}
	if e.census && e.belief.lapses(now) && e.lifetime.exceeds(r.MaxLifetime, float64(e.lifetime.hours), suspectedAlpha) {
		s.extension = int64(r.MinDuration)
	}
	return e.verdict(max(ended, e.belief.update(s, e.census, e.population.grown(), now))).after(former)
}

// ObserveUntil adds an observation that did not change until the given time. The evidence is the
// same as after many equal observations, except that no flag is raised in between. Times
// before the oldest floor are skipped.
func (e *Evidence) ObserveUntil(r *Rules, o Observation, until time.Time) {
	if reach := until.Add(-floorReach(r)); o.At.Before(reach) {
		o.At = reach
	}
	e.Observe(r, o)
	// A segment without observations keeps the floor of the previous one, and the first floor
	// may be from before o.
	if end := timeOf(e.floors.end); end.After(o.At) {
		o.At = end
	}
	for ; o.At.Before(until); o.At = o.At.Add(maxTimeStep / 4) {
		e.Observe(r, o)
	}
	o.At = until
	e.Observe(r, o)
}

// noteGap detects that the stream was not observed for more than MinDuration. The belief is extended by
// as much, since nothing contradicts it, and by as much again: the growth during the gap shows as
// one step, next to which the later pace looks slow. A stream that is never observed more often has no gaps.
func (e *Evidence) noteGap(r *Rules, now int64) {
	gap := now - e.last
	missing := e.last != 0 && gap > int64(r.MinDuration)
	if missing && !e.sparse {
		e.belief.extend(2 * gap)
	}
	e.sparse = missing
}

// Grown returns the growth of the level since the first observation, or since it was lowest.
func (e *Evidence) Grown() float64 { return e.population.grown() }

// Last returns the time of the latest observation.
func (e *Evidence) Last() time.Time { return time.Unix(0, e.last) }

// Process returns since when the process has been watched by any watcher; zero if unknown. Pass
// the result for a group's lowest level in the observations of the higher ones.
func (e *Evidence) Process() time.Time { return timeOf(e.process) }

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// verdict returns the current verdict.
func (e *Evidence) verdict(ended End) Verdict {
	if e.belief.severity == None {
		return Verdict{Ended: ended}
	}
	return Verdict{
		Severity: e.belief.severity,
		Leaked:   e.population.grown(),
		PerHour:  float64(e.belief.perHour),
		Since:    timeOf(e.belief.growthBegun),
	}
}

// after returns v with the life of the previous process.
func (v Verdict) after(former *Life) Verdict {
	v.Former = former
	return v
}

// chooseLevel decides which number is the level, and reports whether o has it.
func (e *Evidence) chooseLevel(r *Rules, o *Observation) bool {
	switch {
	case o.Census == e.census:
		return true
	case e.census && o.At.UnixNano()-e.lifetime.at < int64(r.MinDuration):
		return false
	}
	if e.floors.end != 0 { // otherwise the residents are already known
		e.first = o.At.UnixNano()
		e.population.begin(o.Count)
	}
	e.census = o.Census
	e.floors = floors{}
	e.lifetime.restart()
	return true
}

// assess returns what the evidence shows now.
func (e *Evidence) assess(r *Rules, o *Observation) growthSign {
	base := float64(e.population.base)
	switch {
	case e.population.grown() < r.MinLeaked,
		e.census && !e.lifetime.exceeds(r.MaxLifetime, float64(e.lifetime.hours), suspectedAlpha):
		return growthSign{}
	}
	// Aged goroutines need no allowance for noise: the ones that come and go have exits.
	if e.first > e.process+int64(youngDurations*r.MinDuration) {
		// The first goroutines of a group that appears later than the process are a step
		// like any other, except that their exact time is unknown.
		base = 0
	}
	found, rising := e.floors.rising(r, base, !e.census)
	if !rising || !e.population.outgrown(found.horizon, e.census) {
		return growthSign{}
	}
	s := growthSign{rise: found, begun: e.last - int64(found.horizon)}
	if e.census {
		s = e.assessGrowth(r, o, found)
	} else {
		// If growth slowed down in former lives, it may be a pool that fills in every life.
		s.formerLivesGrew = !e.formerTrend.earlier(slownessYoung)
		grew := found.horizon
		if s.formerLivesGrew {
			grew += e.belief.carried()
		}
		if grew >= r.MaxLifetime { // until then load may rise
			s.severity = Suspected
		}
	}
	return s
}

// arrivalBase is the level above which the times of arrivals are known. The first goroutines of a
// group arrive before it is first observed.
func (e *Evidence) arrivalBase() float64 {
	return float64(max(e.population.base, e.newcomers))
}

// assessGrowth returns the confidence that the goroutines of a growth live longer than healthy
// ones and keep arriving, when the growth began, and its pace.
func (e *Evidence) assessGrowth(r *Rules, o *Observation, found rise) growthSign {
	var room [maxKnots]knot
	from := e.floors.place(r, e.first+int64(o.Bound))
	knots := e.floors.history(e.arrivalBase(), from, room[:0])
	growing := sinceBeginning(r, found, knots)
	begun := e.floors.timeOf(r, growing[len(growing)-1])
	severity := e.longLived(r, o, growing, from)
	if severity == None || e.heldByPeer(r, o, begun) {
		return growthSign{}
	}
	// A probable leak need not prove its pace again: one in six seems to slow down for hours by
	// chance. It is enough that it goes on.
	if e.belief.severity == Probable || !e.slows(r, growing, found, severity) && !e.fillsPool(r, o, begun, growing) {
		return e.signOf(r, severity, found, growing)
	}
	// A pool that filled at the beginning may hide a leak that goes on.
	if e.last-e.first < int64(o.Bound)+int64(lateShare(o)*float64(r.MaxLifetime)) {
		return growthSign{}
	}
	late := lateGrowth(knots, from)
	severity = e.longLived(r, o, late, from)
	if severity == None || !keepsPace(r, o, late) {
		return growthSign{}
	}
	return e.signOf(r, severity, found, late)
}

// signOf returns the growthSign of a growth with a history, latest first.
func (e *Evidence) signOf(r *Rules, severity Severity, found rise, levels []knot) growthSign {
	found.perHour = paceOf(r, levels)
	return growthSign{severity: severity, rise: found, begun: e.floors.timeOf(r, levels[len(levels)-1])}
}

// longLived returns the confidence that the goroutines that arrived since the earliest of the
// knots live longer than healthy ones.
func (e *Evidence) longLived(r *Rules, o *Observation, knots []knot, from float64) Severity {
	hours := e.floors.hours(r, knots, e.last)
	if first := knots[len(knots)-1].at; first <= from {
		// The first few belong to the growth, though their exact times are unknown.
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

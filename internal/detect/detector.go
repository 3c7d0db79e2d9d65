package detect

import (
	"cmp"
	"slices"
	"time"
)

// Config limits a Detector.
type Config struct {
	// MinDuration is the shortest time over which growth counts, without overrides. A
	// timestamp further ahead is doubted.
	MinDuration time.Duration
	// MaxStale is how long a group is kept without data.
	MaxStale time.Duration
	// MaxGroups is the most groups, and the most processes, that are watched.
	MaxGroups int
}

// Detector is the state of all groups and processes. It is not safe for concurrent use.
type Detector struct {
	config    Config
	groups    map[ID]*group
	processes map[ID]*process
	// clock is the time of arrival of the current batch, Unix ns. Stale groups are
	// forgotten by this clock, which no sender can influence.
	clock     int64
	nextSweep int64
	crowded   bool // a group was refused since the last sweep
	waiting   int  // open observations
	compared  int  // comparisons of groups in this batch
	batches   uint64
	spare     *scrape
	result    *Result
}

// Result is the result of a batch.
type Result struct {
	// Verdicts are the verdicts to report, in the order in which they were made. Those of a
	// process are in the order of time.
	Verdicts []Verdict
	// Gone are flags that ended for lack of data.
	Gone []Verdict
	// Ended is the number of ended flags of each process that has or had flags and new data
	// in this batch.
	Ended []Ended
	// Over are groups of which no verdict is reported any more after a flag ended.
	Over []ID
	// Mixed are identities that several processes share. Each is reported once.
	Mixed []ID
	// Refused is the number of refused readings by reason.
	Refused map[Reason]int
	// Unwatched is the number of readings of groups above MaxGroups.
	Unwatched int
	// Changed reports whether the severity of any group changed.
	Changed bool
}

func (r *Result) refuse(why Reason) {
	if r.Refused == nil {
		r.Refused = make(map[Reason]int)
	}
	r.Refused[why]++
}

// New returns a Detector without state.
func New(c Config) *Detector {
	return &Detector{config: c, groups: make(map[ID]*group), processes: make(map[ID]*process)}
}

// Groups returns the number of watched groups.
func (d *Detector) Groups() int { return len(d.groups) }

// Observe processes the readings of a batch and returns the result. It sorts readings in place.
// clock is the time of arrival, Unix ns, and must not decrease.
func (d *Detector) Observe(clock int64, readings []Reading) *Result {
	d.clock, d.result, d.compared = clock, &Result{}, 0
	d.batches++
	if d.nextSweep == 0 { // after a restart much looks stale that is not
		d.nextSweep = clock + int64(d.config.MaxStale)/sweepsPerStale
	}
	for i := range readings {
		readings[i].At, readings[i].Start = max(readings[i].At, 0), max(readings[i].Start, 0)
	}
	if !slices.IsSortedFunc(readings, compareTime) { // most batches are sorted
		slices.SortStableFunc(readings, compareTime)
	}
	for len(readings) > 0 {
		n := 1
		for n < len(readings) && readings[n].Process == readings[0].Process {
			n++
		}
		d.observeProcess(readings[:n])
		readings = readings[n:]
	}
	d.sweep()
	return d.takeResult()
}

func compareTime(a, b Reading) int {
	return cmp.Or(cmp.Compare(a.Process, b.Process), cmp.Compare(a.At, b.At))
}

// Flush judges all open observations and returns the result. Call it at shutdown.
func (d *Detector) Flush() *Result {
	d.result = &Result{}
	for _, name := range sortedKeys(d.processes) {
		p := d.processes[name]
		for len(p.open) > 0 {
			d.closeFirst(p)
		}
	}
	return d.takeResult()
}

func (d *Detector) takeResult() *Result {
	r := d.result
	d.result = nil
	return r
}

func sortedKeys[V any](m map[ID]V) []ID {
	keys := make([]ID, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// observeProcess processes the readings of one process, in the order of time.
func (d *Detector) observeProcess(readings []Reading) {
	p := d.process(readings[0].Process)
	if p == nil {
		d.result.Unwatched += len(readings)
		return
	}
	// If a batch adds to the time of a previous batch, the scrape was split into several.
	newest, last, again := p.newest, p.last, false
	waited := d.clock - p.seen
	for i := range readings {
		r := &readings[i]
		why := r.check()
		if why == OK && !p.admit(r.At, int64(d.config.MinDuration), waited, int64(d.config.MaxStale)) {
			why = BadJump
		}
		if why == OK {
			p.seen = d.clock
			var adds bool
			why, adds = d.collect(p, r)
			again = again || adds && isNear(r.At, newest, joinWithin) && !p.lost
		}
		if why != OK {
			d.result.refuse(why)
		}
	}
	p.noteSplit(newest, again)
	d.closeReady(p)
	if p.last > last {
		d.reportEnded(readings[0].Process, p)
	}
}

// process returns the state of a process, or nil if it is new and there are too many.
func (d *Detector) process(name ID) *process {
	p, ok := d.processes[name]
	if !ok && d.room(len(d.processes)) {
		p = &process{}
		d.processes[name] = p
	}
	return p
}

// group returns the state of a group, or nil if it is new and there are too many.
func (d *Detector) group(r *Reading) *group {
	g, ok := d.groups[r.Group]
	if !ok {
		if !d.room(len(d.groups)) {
			return nil
		}
		g = &group{kind: r.Kind, process: r.Process}
		d.groups[r.Group] = g
	}
	g.seen = toSeconds(d.clock)
	return g
}

// room reports whether there is room for one more, and records if there is none.
func (d *Detector) room(taken int) bool {
	d.crowded = d.crowded || taken >= d.config.MaxGroups
	return taken < d.config.MaxGroups
}

// sweepsPerStale is how often stale groups are removed within MaxStale. All groups are visited, at
// the cost of a few points a group and day. It is also the factor by which groups become stale
// sooner while others are refused: by default after an hour without data, longer than a restart
// or a lost batch.
const sweepsPerStale = 24

// sweep removes stale groups and processes if it is time to.
func (d *Detector) sweep() {
	if d.clock < d.nextSweep {
		return
	}
	d.nextSweep = d.clock + int64(d.config.MaxStale)/sweepsPerStale
	idle := int64(d.config.MaxStale)
	if d.crowded {
		idle /= sweepsPerStale
	}
	d.crowded = false
	for name, g := range d.groups {
		if d.clock-g.seen.ns() > idle {
			d.forgetGroup(name, g)
		}
	}
	for name, p := range d.processes {
		if d.clock-p.seen > idle {
			d.dropOpen(p)
			delete(d.processes, name)
		}
	}
	for _, p := range d.processes {
		p.instances = slices.DeleteFunc(p.instances, func(name ID) bool { return d.processes[name] == nil })
	}
	slices.SortFunc(d.result.Gone, func(a, b Verdict) int { return cmp.Compare(a.Group, b.Group) })
}

// forgetGroup removes a group, and reports the flag that ends with it.
func (d *Detector) forgetGroup(name ID, g *group) {
	d.leave(name, g)
	delete(d.groups, name)
	if g.severity > 0 {
		d.result.Changed = true
		v := Verdict{Process: g.process, Group: name, Finding: g.flag.id, Kind: g.kind, At: g.at, Was: g.severity, Ended: NoData, Service: g.asService != nil}
		d.countEnd(v)
		d.result.Gone = append(d.result.Gone, v)
	}
}

// dropOpen drops the open observations of a process.
func (d *Detector) dropOpen(p *process) {
	for _, s := range p.open {
		d.waiting -= len(s.groups)
	}
	p.open = nil
}

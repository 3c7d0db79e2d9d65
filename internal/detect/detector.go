package detect

import (
	"cmp"
	"slices"
	"time"
)

// Config bounds what is remembered.
type Config struct {
	// MinDuration is the shortest time over which growth counts where no override
	// says otherwise. A time stamp further ahead is doubted.
	MinDuration time.Duration
	// MaxStale is after how long without data a group is forgotten.
	MaxStale time.Duration
	// MaxGroups is how many groups are watched at most.
	MaxGroups int
}

// Detector is all that is remembered. It is not safe for concurrent use.
type Detector struct {
	config    Config
	groups    map[ID]*group
	processes map[ID]*process
	// clock is when the batch came that is judged, Unix ns. What has not come for
	// long is forgotten by it, since no sender can turn it.
	clock     int64
	nextSweep int64
	crowded   bool // a group was turned away since the last sweep
	waiting   int  // observations that are kept open for more
	compared  int  // groups with others, in this batch
	batches   uint64
	spare     *scrape
	result    *Result
}

// Result is what came of a batch.
type Result struct {
	// Verdicts are in the order in which they were made: of a process in the order
	// of time. They are those that are to be shown.
	Verdicts []Verdict
	// Gone are flags that ended because nothing came any more.
	Gone []Verdict
	// Ended is of each process that the batch has something new of, and that has or
	// had flags, how many have ended.
	Ended []Ended
	// Over are groups of which nothing more is to be shown after a flag ended.
	Over []ID
	// Mixed are identities under which several processes report, each once.
	Mixed []ID
	// Refused is how many readings could not be judged, by the reason.
	Refused map[Reason]int
	// Unwatched is how many readings were of groups for which there was no room.
	Unwatched int
	// Changed tells that the severity of a group changed.
	Changed bool
}

func (r *Result) refuse(why Reason) {
	if r.Refused == nil {
		r.Refused = make(map[Reason]int)
	}
	r.Refused[why]++
}

// New returns a detector that remembers nothing.
func New(c Config) *Detector {
	return &Detector{config: c, groups: make(map[ID]*group), processes: make(map[ID]*process)}
}

// Groups returns how many groups are watched.
func (d *Detector) Groups() int { return len(d.groups) }

// Observe takes the readings of a batch, which it sorts, and returns what came of them.
// clock is the time at which the batch came, Unix ns; it never goes back.
func (d *Detector) Observe(clock int64, readings []Reading) *Result {
	d.clock, d.result, d.compared = clock, &Result{}, 0
	d.batches++
	if d.nextSweep == 0 { // after a restart much is old that will go on
		d.nextSweep = clock + int64(d.config.MaxStale)/sweeps
	}
	for i := range readings {
		readings[i].At, readings[i].Start = max(readings[i].At, 0), max(readings[i].Start, 0)
	}
	if !slices.IsSortedFunc(readings, compareTime) { // it is, of most batches
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
	return d.take()
}

func compareTime(a, b Reading) int {
	return cmp.Or(cmp.Compare(a.Process, b.Process), cmp.Compare(a.At, b.At))
}

// Flush judges what waits for more, as a shutdown does.
func (d *Detector) Flush() *Result {
	d.result = &Result{}
	for _, name := range sortedKeys(d.processes) {
		p := d.processes[name]
		for len(p.open) > 0 {
			d.closeFirst(p)
		}
	}
	return d.take()
}

func (d *Detector) take() *Result {
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

// observeProcess takes the readings of one process, which are in the order of time.
func (d *Detector) observeProcess(readings []Reading) {
	p := d.process(readings[0].Process)
	if p == nil {
		d.result.Unwatched += len(readings)
		return
	}
	// A batch that adds to a time that a batch before it had is one of several that a
	// scrape was split into.
	newest, last, again := p.newest, p.last, false
	waited := d.clock - p.seen
	for i := range readings {
		r := &readings[i]
		why := r.check()
		if why == Fine && !p.admit(r.At, int64(d.config.MinDuration), waited, int64(d.config.MaxStale)) {
			why = BadJump
		}
		if why == Fine {
			p.seen = d.clock
			var adds bool
			why, adds = d.collect(p, r)
			again = again || adds && near(r.At, newest, joinWithin) && !p.lost
		}
		if why != Fine {
			d.result.refuse(why)
		}
	}
	p.noteSplit(newest, again)
	d.closeReady(p)
	if p.last > last {
		d.tellEnded(readings[0].Process, p)
	}
}

// process returns what is known of a process, or nil if it is new and there are too
// many already.
func (d *Detector) process(name ID) *process {
	p, ok := d.processes[name]
	if !ok && d.room(len(d.processes)) {
		p = &process{}
		d.processes[name] = p
	}
	return p
}

// group returns what is known of a group, or nil if it is new and there are too many
// already.
func (d *Detector) group(r *Reading) *group {
	g, ok := d.groups[r.Group]
	if !ok {
		if !d.room(len(d.groups)) {
			return nil
		}
		g = &group{kind: r.Kind, process: r.Process}
		d.groups[r.Group] = g
	}
	g.seen = inSeconds(d.clock)
	return g
}

// room tells whether there is room for one more, and remembers if there is none.
func (d *Detector) room(taken int) bool {
	d.crowded = d.crowded || taken >= d.config.MaxGroups
	return taken < d.config.MaxGroups
}

// sweeps is how often within MaxStale stale groups are looked for. All are looked at
// together, so the cost is that of a few points a group and day. It is also how much
// sooner groups are forgotten while others are turned away: at the default after an
// hour without data, longer than a restart or a lost batch.
const sweeps = 24

// sweep forgets what is stale, when it is time to.
func (d *Detector) sweep() {
	if d.clock < d.nextSweep {
		return
	}
	d.nextSweep = d.clock + int64(d.config.MaxStale)/sweeps
	idle := int64(d.config.MaxStale)
	if d.crowded {
		idle /= sweeps
	}
	d.crowded = false
	for name, g := range d.groups {
		if d.clock-g.seen.ns() > idle {
			d.forget(name, g)
		}
	}
	for name, p := range d.processes {
		if d.clock-p.seen > idle {
			d.abandon(p)
			delete(d.processes, name)
		}
	}
	for _, p := range d.processes {
		p.instances = slices.DeleteFunc(p.instances, func(name ID) bool { return d.processes[name] == nil })
	}
	slices.SortFunc(d.result.Gone, func(a, b Verdict) int { return cmp.Compare(a.Group, b.Group) })
}

// forget forgets a group, and tells of the flag that ends with it.
func (d *Detector) forget(name ID, g *group) {
	d.leave(name, g)
	delete(d.groups, name)
	if g.severity > 0 {
		d.result.Changed = true
		v := Verdict{Process: g.process, Group: name, Finding: g.flag.id, Kind: g.kind, At: g.at, Was: g.severity, Ended: NoData, Service: g.pool != nil}
		d.countEnd(v)
		d.result.Gone = append(d.result.Gone, v)
	}
}

// abandon forgets what waits of a process.
func (d *Detector) abandon(p *process) {
	for _, s := range p.open {
		d.waiting -= len(s.groups)
	}
	p.open = nil
}

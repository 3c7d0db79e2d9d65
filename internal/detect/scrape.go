package detect

import (
	"cmp"
	"slices"
	"time"
)

// Metrics of one scrape come in one batch as a rule, and their observations are judged
// at once. But a batch may hold several scrapes, a scrape may be split over several
// batches, and a part may not come at all. So readings are collected by process and
// time, and the observations of a time are judged together
//
//   - when it seems that all has come: the process has sent its scrapes whole lately,
//     and each group has the parts and bands that it had at the time before;
//   - or when a later time of the process has come. If something that was there before is
//     missing, one more batch is waited for, since batches overtake each other;
//   - or when the detector shuts down.
//
// The parts that a later batch brings for a time that was judged are lost, and the
// process is not taken to send its scrapes whole for a while.

// joinWithin is how far apart the parts of one observation may be, in ns. An SDK stamps
// each instrument by itself, some microseconds after the one before; and nobody observes
// a process more often than ten times a second.
const joinWithin = int64(100 * time.Millisecond)

// wholeScrapes is after how many scrapes running that came in one batch each a process
// is taken to send them so, and wholeAgain the same after one that did not.
const (
	wholeScrapes = 3
	wholeAgain   = 60
)

// maxOpen bounds the times of one process that wait between batches.
const maxOpen = 8

// maxBands bounds the age bands of a group.
const maxBands = 8

// scrape is what was observed of a process at one time.
type scrape struct {
	at     int64 // of the earliest reading, Unix ns
	groups []*observation
	index  map[ID]*observation
	// profiled tells that a leak profile was told of.
	profiled bool
	overdue  bool // a later time had come already when the batch before this one was over
}

// observation is what was observed of one group at one time.
type observation struct {
	name, entry ID
	service, in ID // its service, and its group in that
	rank        Rank
	reading     Reading // the last one, for what is the same in all
	group       *group
	at          int64
	count       float64
	countStart  int64
	leaked      float64
	held        float64 // of an entry, how many more of its goroutines are held by a peer than are not
	bands       []band
	has         parts
	returned    bool // its start is that of a process that had been replaced
}

// band is what was observed of one age band.
type band struct {
	bound time.Duration
	aged  float64
	exits float64
	start int64 // of the exits, Unix ns; 0 is unknown
	has   parts
	delta bool
}

// parts is a set of parts.
type parts uint8

func setOf(p Part) parts { return 1 << p }

const (
	countPart    = parts(1 << Count)
	agedPart     = parts(1 << Aged)
	exitsPart    = parts(1 << Exits)
	leakedPart   = parts(1 << Leaked)
	censusParts  = agedPart | exitsPart
	neverMissing = leakedPart // profiles are taken more rarely
)

// collect adds a reading to the observation of its time. adds reports whether the reading
// is of a group that is judged, and no copy of one that came before.
func (d *Detector) collect(p *process, r *Reading) (why Reason, adds bool) {
	if r.Kind == Stack {
		p.stacks = max(p.stacks, r.At)
	}
	if r.Rest && r.Part != Leaked {
		return Fine, false
	}
	if r.Rest {
		s := d.scrape(p, r.At)
		s.profiled = true
		return Fine, false
	}
	g := d.group(r)
	if g == nil {
		d.result.Unwatched++
		return Fine, false
	}
	if g.at != 0 && !near(g.at, r.At, int64(d.config.MaxStale)) {
		// Its process's clock was set, or was wrong before.
		g.reset()
	}
	if r.At <= g.at || near(r.At, g.at, joinWithin) && g.at != 0 {
		d.noteRival(p, r, g.startFor(r))
		return OutOfOrder, !g.tookAll(r)
	}
	s := d.scrape(p, r.At)
	o := s.index[r.Group]
	if o == nil {
		o = s.add(observation{name: r.Group, group: g, at: r.At})
		d.waiting++
	}
	s.profiled = s.profiled || r.Part == Leaked
	s.at, o.at = min(s.at, r.At), min(o.at, r.At)
	if why = o.take(r); why == OutOfOrder {
		d.noteRival(p, r, o.startFor(r))
	}
	return why, why == Fine
}

// tookAll tells whether the part and the age band of a reading were there when the group
// was judged last. Then the reading is a copy, such as a sender makes that has not heard
// of its success; else it is a part that was not waited for.
func (g *group) tookAll(r *Reading) bool {
	if g.had&setOf(r.Part) == 0 {
		return false
	}
	return setOf(r.Part)&censusParts == 0 || g.levelAt(r.Band) != nil
}

// scrape returns what was observed of a process at a time, to which more can be added.
func (d *Detector) scrape(p *process, at int64) *scrape {
	for _, s := range p.open {
		if near(s.at, at, joinWithin) {
			return s
		}
	}
	s := d.spare
	if d.spare = nil; s == nil {
		s = &scrape{index: make(map[ID]*observation)}
	}
	s.at = at
	i, _ := slices.BinarySearchFunc(p.open, at, func(s *scrape, at int64) int {
		if s.at < at {
			return -1
		}
		return 1
	})
	p.open = slices.Insert(p.open, i, s)
	p.newest = max(p.newest, at)
	return s
}

// add adds an observation, in the memory of one that was discarded if there is any.
func (s *scrape) add(o observation) *observation {
	n := len(s.groups)
	if n < cap(s.groups) && s.groups[:n+1][n] != nil {
		s.groups = s.groups[:n+1]
		o.bands = s.groups[n].bands[:0]
		*s.groups[n] = o
	} else {
		s.groups = append(s.groups, &o)
	}
	s.index[o.name] = s.groups[n]
	return s.groups[n]
}

// spareGroups bounds the scrape whose memory is kept for the next one.
const spareGroups = 4096

// discard keeps the memory of a scrape that was judged for the next one.
func (d *Detector) discard(s *scrape) {
	if cap(s.groups) > spareGroups {
		return
	}
	clear(s.index)
	for _, o := range s.groups {
		o.group = nil
	}
	*s = scrape{groups: s.groups[:0], index: s.index}
	d.spare = s
}

// take adds a part.
func (o *observation) take(r *Reading) Reason {
	o.reading = *r
	if r.Entry != 0 {
		o.entry = r.Entry
	}
	if r.ServiceGroup != 0 {
		o.service, o.in, o.rank = r.Service, r.ServiceGroup, r.Rank
	}
	switch r.Part {
	case Count, Leaked:
		if o.has&setOf(r.Part) != 0 {
			return OutOfOrder
		}
		if r.Part == Count {
			o.count, o.countStart = r.Value, r.Start
		} else {
			o.leaked = r.Value
		}
	default:
		if why := o.takeBand(r); why != Fine {
			return why
		}
	}
	o.has |= setOf(r.Part)
	return Fine
}

func (o *observation) takeBand(r *Reading) Reason {
	i, found := slices.BinarySearchFunc(o.bands, r.Band, func(b band, bound time.Duration) int { return cmp.Compare(b.bound, bound) })
	if !found {
		if len(o.bands) == maxBands {
			return BadBand
		}
		if o.bands == nil {
			o.bands = make([]band, 0, 3)
		}
		o.bands = slices.Insert(o.bands, i, band{bound: r.Band})
	}
	b := &o.bands[i]
	if b.has&setOf(r.Part) != 0 {
		return OutOfOrder
	}
	b.has |= setOf(r.Part)
	if r.Part == Aged {
		b.aged = r.Value
		return Fine
	}
	b.exits, b.delta, b.start = r.Value, r.Delta, r.Start
	return Fine
}

// start returns since when the census counts, Unix ns; 0 is unknown. It is that of the lowest
// band: the exits of a higher one may be counted from the first.
func (o *observation) start() int64 {
	if len(o.bands) == 0 {
		return 0
	}
	return o.bands[0].start
}

// noteSplit learns whether the process sends its scrapes whole. newest is the latest time
// that was known before a batch, and again tells that the batch brought more of it.
func (p *process) noteSplit(newest int64, again bool) {
	if again {
		p.whole, p.splits, p.split = 0, true, true
	}
	if newest == 0 || p.newest <= newest {
		return
	}
	if !p.split {
		p.whole = min(p.whole+1, wholeAgain)
	}
	p.split, p.lost = false, false
}

// sendsWhole tells whether the process is taken to send its scrapes whole.
func (p *process) sendsWhole() bool {
	return p.whole >= wholeAgain || p.whole >= wholeScrapes && !p.splits
}

// closeReady judges the times of a process that need not wait, the earliest first.
func (d *Detector) closeReady(p *process) {
	for len(p.open) > 0 {
		s := p.open[0]
		later := len(p.open) > 1 || s.at < p.newest
		if !d.full(p, s, later) {
			break
		}
		d.closeFirst(p)
	}
	for i, s := range p.open {
		s.overdue = i < len(p.open)-1
	}
}

// full tells whether a time need not wait for more.
func (d *Detector) full(p *process, s *scrape, later bool) bool {
	switch {
	case s.overdue, len(p.open) > maxOpen, d.waiting > d.config.MaxGroups, s.single():
		return true
	case !later && !p.sendsWhole():
		return false
	}
	for _, o := range s.groups {
		if o.lacks() || !later && o.doubtful() {
			return false
		}
	}
	return true
}

// single tells whether nothing is there but observations of one part, for which
// nothing need be waited.
func (s *scrape) single() bool {
	for _, o := range s.groups {
		if o.group.kind < Total {
			return false
		}
	}
	return len(s.groups) > 0
}

// lacks tells whether a part or an age band is missing that was there at the time before.
func (o *observation) lacks() bool {
	g := o.group
	if g.had&^o.has&^neverMissing != 0 && !o.isGone() {
		return true
	}
	if o.has&agedPart == 0 {
		return false
	}
	for i := range g.levels {
		l := &g.levels[i]
		if l.own > 0 && !slices.ContainsFunc(o.bands, func(b band) bool { return int64(b.bound) == l.bound && b.has&agedPart != 0 }) {
			return true
		}
	}
	return false
}

// isGone tells whether nothing is told of a group but what has left it, and it was empty
// before. An SDK goes on telling a counter that was counted once.
func (o *observation) isGone() bool {
	return o.has&^leakedPart == exitsPart && o.group.isEmpty()
}

// isEmpty tells whether nobody was in a group when it was judged last.
func (g *group) isEmpty() bool {
	return g.count == 0 && !slices.ContainsFunc(g.levels, func(l level) bool { return l.own > 0 })
}

// doubtful tells whether the goroutines of a band may have yet to come, or a census: more
// than half of the old ones are gone, and have not left. Of few that is no harm.
func (o *observation) doubtful() bool {
	g := o.group
	if g.kind >= Total || o.isGone() {
		return false
	}
	if o.has&^leakedPart == 0 || o.has&censusParts != 0 && o.has&censusParts != censusParts {
		return true
	}
	if len(g.levels) == 0 || o.has&agedPart == 0 || o.start() > g.start {
		return false
	}
	var aged, exits float64
	for _, b := range o.bands {
		aged += b.aged
		exits += b.exits
	}
	before := float64(g.levels[0].aged)
	return before-aged-max(0, exits-g.levels[0].exits) > max(float64(o.reading.Rules.MinLeaked), before/2)
}

// closeFirst judges the earliest time of a process that is open.
func (d *Detector) closeFirst(p *process) {
	s := p.open[0]
	p.open = slices.Delete(p.open, 0, 1)
	d.waiting -= len(s.groups)
	d.judge(p, s)
	d.discard(s)
}

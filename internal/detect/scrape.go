package detect

import (
	"cmp"
	"slices"
	"time"
)

// The metrics of a scrape usually arrive in one batch, and their observations are judged at once.
// But a batch may hold several scrapes, a scrape may be split into several batches, and a part may
// be lost. So readings are collected by process and time, and the observations of a time are
// judged together
//
//   - when they seem complete: recent scrapes of the process were not split, and each group has
//     the parts and bands that it had before;
//   - or when a later time of the process has arrived. If anything is missing that was there
//     before, one more batch is awaited, since batches may overtake each other;
//   - or at shutdown.
//
// Parts that arrive after their time was judged are lost, and for a while the process is treated
// as one that splits its scrapes.

// joinWithin is how far apart the parts of one observation may be, in ns. An SDK stamps each
// instrument by itself, some microseconds apart, and no process is observed more often than ten
// times a second.
const joinWithin = int64(100 * time.Millisecond)

// wholeStreak is the number of consecutive scrapes in one batch each after which a process is
// assumed not to split scrapes, and wholeStreakAfterSplit the same after a split scrape.
const (
	wholeStreak           = 3
	wholeStreakAfterSplit = 60
)

// maxOpen is the most times of a process that stay open between batches.
const maxOpen = 8

// maxBands is the most age bands of a group.
const maxBands = 8

// scrape is the observations of a process at one time.
type scrape struct {
	at     int64 // of the earliest reading, Unix ns
	groups []*observation
	index  map[ID]*observation
	// profiled reports whether there are readings of a leak profile.
	profiled bool
	overdue  bool // a later time had already arrived at the end of the previous batch
}

// observation is the state of one group at one time.
type observation struct {
	name, entry           ID
	service, serviceGroup ID // its service, and its group of the service
	rank                  Rank
	reading               Reading // the last one, for the fields that are the same in all
	group                 *group
	entryGroup            *group // of its entry, nil if that is not watched; set when it is judged
	at                    int64
	count                 float64
	countStart            int64
	leaked                float64
	held                  float64 // of an entry: goroutines held by a peer minus the others
	bands                 []band
	has                   parts
	returned              bool // its start went back
}

// band is the readings of one age band.
type band struct {
	bound time.Duration
	aged  float64
	exits float64
	start int64 // of the exits, Unix ns; 0 if unknown
	has   parts
	delta bool
}

// parts is a set of parts.
type parts uint8

func partSet(p Part) parts { return 1 << p }

const (
	countPart   = parts(1 << Count)
	agedPart    = parts(1 << Aged)
	exitsPart   = parts(1 << Exits)
	leakedPart  = parts(1 << Leaked)
	censusParts = agedPart | exitsPart
	rareParts   = leakedPart // leak profiles are rarer than scrapes
)

// collect adds a reading to the observation of its time. adds reports whether the reading is of a
// watched group and not a duplicate.
func (d *Detector) collect(p *process, r *Reading) (why Reason, adds bool) {
	if r.Kind == Stack {
		p.stacks = max(p.stacks, r.At)
	}
	if r.Rest && r.Part != Leaked {
		return OK, false
	}
	if r.Rest {
		s := p.scrapeAt(r.At)
		if s == nil {
			s = d.addScrape(p, r.At)
		}
		s.profiled = true
		return OK, false
	}
	s := p.scrapeAt(r.At)
	g, o := d.lookUp(s, r)
	if g == nil {
		d.result.Unwatched++
		return OK, false
	}
	if g.at != 0 && !isNear(g.at, r.At, int64(d.config.MaxStale)) {
		// The clock of the process was set, or was wrong before.
		g.reset()
	}
	if r.At <= g.at || isNear(r.At, g.at, joinWithin) && g.at != 0 {
		d.noteRival(p, r, g.startFor(r))
		return OutOfOrder, !g.hadPart(r)
	}
	if s == nil {
		s = d.addScrape(p, r.At)
	}
	if o == nil {
		o = s.add(observation{name: r.Group, group: g, at: r.At})
		d.waiting++
	}
	s.profiled = s.profiled || r.Part == Leaked
	s.at, o.at = min(s.at, r.At), min(o.at, r.At)
	if why = o.addPart(r); why == OutOfOrder {
		d.noteRival(p, r, o.startFor(r))
	}
	return why, why == OK
}

// hadPart reports whether the latest judged observation of the group had the part and age band of a
// reading. Then the reading is a duplicate from a retry; otherwise it is late.
func (g *group) hadPart(r *Reading) bool {
	if g.had&partSet(r.Part) == 0 {
		return false
	}
	return partSet(r.Part)&censusParts == 0 || g.levelAt(r.Band) != nil
}

// lookUp returns the group of a reading, nil if there is no room for it, and its observation in s,
// nil if it has none. Most readings follow another one of their group, which is found sooner in the
// scrape than among a million groups.
func (d *Detector) lookUp(s *scrape, r *Reading) (*group, *observation) {
	if s != nil {
		if o := s.index[r.Group]; o != nil {
			o.group.seen = toSeconds(d.clock)
			return o.group, o
		}
	}
	return d.group(r), nil
}

// scrapeAt returns the open scrape of a process at a time, nil if there is none.
func (p *process) scrapeAt(at int64) *scrape {
	for _, s := range p.open {
		if isNear(s.at, at, joinWithin) {
			return s
		}
	}
	return nil
}

// addScrape opens a scrape of a process.
func (d *Detector) addScrape(p *process, at int64) *scrape {
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

// add adds an observation, reusing a discarded one if there is any.
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

// spareGroups is the most groups of a scrape that is reused.
const spareGroups = 4096

// discard keeps the memory of a judged scrape for the next one.
func (d *Detector) discard(s *scrape) {
	if cap(s.groups) > spareGroups {
		return
	}
	clear(s.index)
	for _, o := range s.groups {
		o.group, o.entryGroup = nil, nil
	}
	*s = scrape{groups: s.groups[:0], index: s.index}
	d.spare = s
}

// addPart adds a reading to the observation.
func (o *observation) addPart(r *Reading) Reason {
	o.reading = *r
	if r.Entry != 0 {
		o.entry = r.Entry
	}
	if r.ServiceGroup != 0 {
		o.service, o.serviceGroup, o.rank = r.Service, r.ServiceGroup, r.Rank
	}
	switch r.Part {
	case Count, Leaked:
		if o.has&partSet(r.Part) != 0 {
			return OutOfOrder
		}
		if r.Part == Count {
			o.count, o.countStart = r.Value, r.Start
		} else {
			o.leaked = r.Value
		}
	default:
		if why := o.addBand(r); why != OK {
			return why
		}
	}
	o.has |= partSet(r.Part)
	return OK
}

func (o *observation) addBand(r *Reading) Reason {
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
	if b.has&partSet(r.Part) != 0 {
		return OutOfOrder
	}
	b.has |= partSet(r.Part)
	if r.Part == Aged {
		b.aged = r.Value
		return OK
	}
	b.exits, b.delta, b.start = r.Value, r.Delta, r.Start
	return OK
}

// start returns the start of the census, Unix ns; 0 if unknown. It is that of the lowest band: a
// higher band may start with its first exit.
func (o *observation) start() int64 {
	if len(o.bands) == 0 {
		return 0
	}
	return o.bands[0].start
}

// noteSplit updates whether the process splits its scrapes. newest is the latest time before the
// batch, and again is whether the batch added to it.
func (p *process) noteSplit(newest int64, again bool) {
	if again {
		p.wholeInRow, p.everSplit, p.newestSplit = 0, true, true
	}
	if newest == 0 || p.newest <= newest {
		return
	}
	if !p.newestSplit {
		p.wholeInRow = min(p.wholeInRow+1, wholeStreakAfterSplit)
	}
	p.newestSplit, p.lost = false, false
}

// sendsWhole reports whether the process is assumed not to split its scrapes.
func (p *process) sendsWhole() bool {
	return p.wholeInRow >= wholeStreakAfterSplit || p.wholeInRow >= wholeStreak && !p.everSplit
}

// closeReady judges the times of a process that are ready, earliest first.
func (d *Detector) closeReady(p *process) {
	for len(p.open) > 0 {
		s := p.open[0]
		later := len(p.open) > 1 || s.at < p.newest
		if !d.isReady(p, s, later) {
			break
		}
		d.closeFirst(p)
	}
	for i, s := range p.open {
		s.overdue = i < len(p.open)-1
	}
}

// isReady reports whether a time need not wait for more readings.
func (d *Detector) isReady(p *process, s *scrape, later bool) bool {
	switch {
	case s.overdue, len(p.open) > maxOpen, d.waiting > d.config.MaxGroups, s.hasSingleParts():
		return true
	case !later && !p.sendsWhole():
		return false
	}
	for _, o := range s.groups {
		if o.isIncomplete() || !later && o.isDoubtful() {
			return false
		}
	}
	return true
}

// hasSingleParts reports whether all observations are of kinds that have one part only.
func (s *scrape) hasSingleParts() bool {
	for _, o := range s.groups {
		if o.group.kind < Total {
			return false
		}
	}
	return len(s.groups) > 0
}

// isIncomplete reports whether a part or an age band is missing that the previous observation had.
func (o *observation) isIncomplete() bool {
	g := o.group
	if g.had&^o.has&^rareParts != 0 && !o.isGone() {
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

// isGone reports whether a group that was empty has only exits. An SDK keeps exporting counters.
func (o *observation) isGone() bool {
	return o.has&^leakedPart == exitsPart && o.group.isEmpty()
}

// isEmpty reports whether the group was empty in its latest observation.
func (g *group) isEmpty() bool {
	return g.count == 0 && !slices.ContainsFunc(g.levels, func(l level) bool { return l.own > 0 })
}

// isDoubtful reports whether a band or the census may still be missing: more than half of the aged
// goroutines have disappeared without exits. A few do no harm.
func (o *observation) isDoubtful() bool {
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

// closeFirst judges the earliest open time of a process.
func (d *Detector) closeFirst(p *process) {
	s := p.open[0]
	p.open = slices.Delete(p.open, 0, 1)
	d.waiting -= len(s.groups)
	d.judge(p, s)
	d.discard(s)
}

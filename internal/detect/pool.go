package detect

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// pool is what is remembered of a group of a service beside what any group has.
type pool struct {
	members []member     // the groups of its instances, in which anybody has arrived, in order
	past    []formerLife // of lives that are over, added up by level
	older   []formerLife // the same, before past begins
	pastAt  int64        // when past begins, Unix ns

	judged   int64   // when the lives were added up last, Unix ns
	begun    int64   // when anybody arrived first, Unix ns
	rose     int64   // when anybody arrived last, Unix ns
	arrivals float64 // at the lowest level, when they were added up last
	spread   spread
	covered  int64 // of an entry, when one of its signatures was flagged last, Unix ns

	until   int64 // until when the lives are believed to show a leak, Unix ns; 0 if they do not
	leaked  float64
	perHour float64
	bound   int64 // of the level at which they show it, ns
	exits   float64
	ignored bool
	alone   bool          // no instance was flagged by itself when it was shown last
	sums    []formerLife  // past and present, as they were added up last
	batch   uint64        // in which that was; not kept
	rules   *growth.Rules // with which it was judged last; nil after a restart, until then
}

// goneAfter is how many arrivals must be missing for a leak to be over whose goroutines
// are gone. By chance so many fail to come after one arrival of 20,000 (Poisson).
const goneAfter = 10

// stoppedAfter is how many must be missing for a growth to have stopped, as that of a
// fleet that was scaled out: one of twenty times by chance.
const stoppedAfter = 3

// judgePool judges a group of a service, at most once in the time from one scrape of an
// instance to the next.
func (d *Detector) judgePool(p, service *process, name ID, r *growth.Rules) {
	g := d.groups[name]
	if g == nil || g.pool == nil {
		return
	}
	at := service.last
	g.setBack(at)
	interval := p.step - joinWithin
	if p.step == 0 { // it is new, and there may be many of them
		interval = int64(r.MinDuration) / looksPerDuration
	}
	if g.at != 0 && at-g.at < interval {
		return
	}
	g.at = at
	if g.pool.rules = r; g.flag != nil {
		g.seen = inSeconds(d.clock)
	}
	present := d.presentOf(g, r)
	if at-g.pool.judged >= int64(r.MinDuration)/looksPerDuration && g.pool.batch != d.batches {
		g.pool.batch = d.batches
		d.addUp(g.pool, r, at, present)
	}
	severity := growth.None
	if g.pool.until > at {
		severity = growth.Probable
	}
	severity = max(severity, present.severity)
	if g.kind == Entry && g.severity == growth.None && g.pool.covered != 0 && near(g.pool.covered, at, int64(r.MinDuration)) {
		severity = growth.None
	}
	j := judgement{
		Verdict: growth.Verdict{Severity: severity, Leaked: present.leaked, PerHour: g.pool.perHour, Since: time.Unix(0, g.pool.begun)},
		bound:   time.Duration(g.pool.bound), exits: g.pool.exits, census: g.pool.until > at, known: true,
	}
	if j.Ended = growth.Slowed; present.leaked == 0 {
		j.Ended = growth.ProcessGone
	}
	of := observation{name: name, group: g, at: at, in: present.id, reading: Reading{Rules: r, Ignored: g.pool.ignored}}
	if of.in == 0 {
		of.in = name
	}
	if severity > growth.None {
		g.pool.alone = present.severity == growth.None
	}
	shown := len(d.result.Verdicts)
	d.show(nil, &of, &j, severity)
	for i := range d.result.Verdicts[shown:] {
		v := &d.result.Verdicts[shown+i]
		v.Service, v.Instances, v.Of = true, present.instances, d.instancesOf(service, int64(r.MinDuration))
		v.Together = g.pool.alone
	}
}

// setBack has nothing be later than a time, to which the clock was set back.
func (g *group) setBack(at int64) {
	if g.at <= at {
		return
	}
	p := g.pool
	g.at, p.judged, p.rose, p.begun, p.pastAt = at, min(p.judged, at), min(p.rose, at), min(p.begun, at), min(p.pastAt, at)
	p.until, p.covered = min(p.until, at+int64(growth.Held)), min(p.covered, at)
	if g.flag != nil {
		g.flag.last = min(g.flag.last, inSeconds(at))
	}
}

// looksPerDuration is how often within MinDuration lives are added up, twice as often as
// package growth looks whether they grow.
const looksPerDuration = 10

// present is what the instances of a service show now, of one group.
type present struct {
	severity  growth.Severity // the largest
	id        ID              // of the finding of one that is flagged
	leaked    float64
	instances int // in which anybody has leaked
}

// presentOf asks the members that are not ignored. Those of which nothing has come for
// MinDuration are gone.
func (d *Detector) presentOf(of *group, r *growth.Rules) present {
	var now present
	last := ID(0) // process, of which there may be several members
	for _, m := range of.pool.members {
		g := d.groups[m.group]
		if g == nil || g.ignored || !d.isHere(g, r) {
			continue
		}
		if g.severity > now.severity && g.flag != nil {
			now.severity, now.id = g.severity, g.flag.id
		}
		if came := g.came(r); came >= 1 || g.severity > growth.None {
			if m.process != last {
				now.instances++
			}
			last = m.process
			now.leaked += max(came, g.counts.risen())
		}
	}
	return now
}

// risen returns by how much a level has grown; 0 if there is none.
func (l *level) risen() float64 {
	if l == nil {
		return 0
	}
	return l.grown()
}

// isHere tells whether something of a group has come lately.
func (d *Detector) isHere(g *group, r *growth.Rules) bool {
	return d.clock-g.seen.ns() <= int64(r.MinDuration)
}

// addUp adds up all lives, and judges them.
func (d *Detector) addUp(p *pool, r *growth.Rules, at int64, now present) {
	missed := at-p.judged > 2*int64(r.MinDuration)/looksPerDuration
	p.judged = at
	p.forget(at)
	sums := slices.Clone(p.past)
	for _, f := range p.older {
		sums = addLife(sums, f)
	}
	var recent growth.Life // of the instances that are there now, at the lowest level
	rose := 0.0
	var lines []formerLife // of one process
	here := false          // something of that process has come lately
	flush := func() {
		for _, f := range lines {
			sums = addLife(sums, f)
		}
		if here && len(lines) > 0 {
			recent = recent.Plus(lines[0].life)
		}
		lines, here = lines[:0], false
	}
	last := ID(0)
	for _, m := range p.members {
		g := d.groups[m.group]
		if g == nil || g.ignored {
			continue
		}
		if m.process != last {
			flush()
		}
		last, here = m.process, here || d.isHere(g, r)
		came := float32(g.came(r))
		if came > g.looked+0.5 {
			rose++
		}
		g.looked = came
		for i := range g.levels {
			lines = addLine(lines, formerLife{g.levels[i].bound, g.lifeOf(&g.levels[i], r)})
		}
	}
	flush()
	if p.sums = sums; !missed {
		p.spread.note(rose)
	}
	if len(sums) == 0 {
		return
	}
	lowest := sums[0]
	if rose > 0 || lowest.life.Arrivals > p.arrivals+0.5 { // the latter some minutes later
		p.rose = at
	}
	p.arrivals = lowest.life.Arrivals
	if recent.Watched > 0 {
		p.perHour = recent.Arrivals / recent.Watched * float64(now.instances)
	}
	missing := p.missing(at, r, lowest)
	for _, sum := range sums {
		if missing >= stoppedAfter || !sum.life.Outlives(r) {
			continue
		}
		// A leak that was found need not prove again that it keeps its pace.
		if p.until > at || !p.spread.together() && sum.life.KeepsPace(r) {
			p.until = at + int64(growth.Held)
			p.leaked, p.bound, p.exits = now.leaked, sum.bound, sum.life.Exits
			break
		}
	}
	if missing >= goneAfter && at-p.rose >= int64(r.MinDuration) && now.leaked <= p.leaked/2 {
		p.until = 0
	}
}

// spread is how the arrivals of a service are spread over its instances: in how many of them
// goroutines arrive from one look to the next.
type spread struct {
	rose    float64 // at the last look
	sum     float64 // of all looks, forgotten slowly
	squares float64 // half the squares of what differed from one look to the next, likewise
}

func (s *spread) note(rose float64) {
	const kept = 1 - 1.0/spreadMemory
	differs := rose - s.rose
	*s = spread{rose, kept*s.sum + rose, kept*s.squares + differs*differs/2}
}

// spreadMemory is for how many looks they are remembered, as a time constant: a day at the
// default.
const spreadMemory = 480

// together tells whether goroutines arrive in many instances at once, as when another
// instance is added to which all connect. Independent instances differ from one look to the
// next by the square root of their number at most; these do by more.
func (s *spread) together() bool { return s.squares > leastDispersion*s.sum }

// leastDispersion is by how much more their variance must exceed their number. By chance it
// does so in at most 0.5% of cases after sixty looks, which are three hours at the default, and
// in 1% after thirty (TestIndependentInstances).
const leastDispersion = 2

// missing returns how many arrivals have not come that would have since the last one, at the
// pace before it. They take as long to come as goroutines take to get old.
func (p *pool) missing(at int64, r *growth.Rules, lowest formerLife) float64 {
	since := max(p.begun, p.pastAt-int64(serviceMemory/2))
	perHour := lowest.life.Arrivals / max(time.Duration(p.rose-since), r.MinDuration).Hours()
	return perHour * time.Duration(at-p.rose-lowest.bound).Hours()
}

package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// Instances of a service leak alike, and what one of them shows in its life may be too
// little. So the groups that replicas and versions have in common are judged together as
// well: their lives are added up (package growth says what of them), those that are over
// too. A group of a service is remembered as any other is, as one of a process that
// stands for the service.
//
//   - It is flagged while its lives together show a leak, and for as long after as package
//     growth believes a flag; and while any instance is flagged by itself, so that it has
//     one severity however the leak was found.
//   - If the goroutines are gone and none has come for a while, as after a deploy that
//     repairs the leak, the flag ends.
//   - It has members from the first goroutine on that gets old in an instance, and then
//     those instances in which that happened.

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
	sums    []formerLife  // past and present, as they were added up last; nil after a restart, until then
	rules   *growth.Rules // with which it was judged last; nil after a restart, until then
}

// member is a group of an instance.
type member struct{ process, group ID }

func compareMembers(a, b member) int {
	return cmp.Or(cmp.Compare(a.process, b.process), cmp.Compare(a.group, b.group))
}

// formerLife is the life of a process at one age level, or several of them.
type formerLife struct {
	bound int64 // ns
	life  growth.Life
}

// serviceMemory is for how long lives that are over are remembered at most, and half of it
// at least: what was deployed a week ago says little of what runs now.
const serviceMemory = 7 * 24 * time.Hour

// goneAfter is how many arrivals must be missing for a leak to be over whose goroutines
// are gone. By chance so many fail to come after one arrival of 20,000 (Poisson).
const goneAfter = 10

// stoppedAfter is how many must be missing for a growth to have stopped, as that of a
// fleet that was scaled out: one of twenty times by chance.
const stoppedAfter = 3

// lifeOf returns the present life of a process at one of its levels.
func (g *group) lifeOf(l *level, r *growth.Rules) growth.Life {
	if l.evidence != nil {
		return l.evidence.Life(r, time.Duration(l.bound), g.peer)
	}
	from := g.first + l.bound
	arrivals := 0.0
	switch {
	case g.peer || g.firstCount < 0:
	case growth.AppearedLater(r, g.start, g.first) && float64(g.firstCount) < r.MinLeaked:
		from, arrivals = g.start+l.bound, float64(l.aged)
	default:
		arrivals = max(0, float64(l.aged-g.firstCount))
	}
	return growth.OneStep(arrivals, l.exits, time.Unix(0, from), time.Unix(0, max(from, l.since.ns())), time.Unix(0, g.at))
}

// arrived tells whether anybody has got old in a group since the watching began.
func (g *group) arrived() bool {
	return g.census && len(g.levels) > 0 && (g.levels[0].grown() >= 1 || g.levels[0].evidence == nil && g.firstCount >= 0 && g.levels[0].aged-g.firstCount >= 1)
}

// serviceOf returns what stands for the service of which a process is an instance, nil if
// that is not known.
func (d *Detector) serviceOf(p *process, s *scrape) *process {
	for _, o := range s.groups {
		name := o.service
		if name == 0 || o.group.kind > Entry {
			continue
		}
		service := d.process(name)
		if service != nil && p.service != name {
			p.service = name
			service.instances = append(service.instances, o.reading.Process)
		}
		return service
	}
	return d.processes[p.service]
}

// judgeService judges the groups of a service after a scrape of one of its instances.
func (d *Detector) judgeService(p *process, s *scrape, judged []judgement) {
	service := d.serviceOf(p, s)
	if service == nil {
		return
	}
	waited := d.clock - service.seen
	service.seen = d.clock
	if !service.admit(s.at, int64(d.config.MinDuration), waited, int64(d.config.MaxStale)) {
		return
	}
	seen := make(map[ID]bool)
	for _, kind := range []Kind{Stack, Entry} {
		for i, o := range s.groups {
			if o.group.kind != kind {
				continue
			}
			name := d.join(o, judged[i].former)
			if g := d.groups[name]; g != nil && g.pool != nil && !seen[name] {
				seen[name] = true
				g.pool.ignored = o.reading.Ignored
				d.judgePool(p, service, name, o)
			}
		}
	}
	for _, name := range slices.Clone(service.flagged) {
		if g := d.groups[name]; g != nil && g.pool != nil && !seen[name] && len(s.groups) > 0 {
			d.judgePool(p, service, name, s.groups[0])
		}
	}
}

// join makes a group a member of that of its service once anybody has got old in it, and
// returns that; 0 if it is none. What former lives of the process have shown is added.
func (d *Detector) join(o *observation, former []formerLife) ID {
	g := o.group
	if d.poolOf(g) == nil {
		came := slices.ContainsFunc(former, func(f formerLife) bool { return f.life.Arrivals > 0 })
		if o.in == 0 || !g.arrived() && g.severity == growth.None && !came {
			return 0
		}
		of := d.groups[o.in]
		switch {
		case of == nil && d.room(len(d.groups)):
			of = &group{kind: g.kind, process: o.service, pool: &pool{begun: o.at, rose: o.at, pastAt: o.at}}
			d.groups[o.in] = of
		case of == nil || of.pool == nil:
			return 0
		}
		g.service = o.in
		m := member{g.process, o.name}
		if i, found := slices.BinarySearchFunc(of.pool.members, m, compareMembers); !found {
			of.pool.members = slices.Insert(of.pool.members, i, m)
		}
	}
	if of := d.groups[g.service]; of != nil && of.pool != nil {
		of.seen = inSeconds(d.clock)
		for _, f := range former {
			of.pool.add(f)
		}
	}
	return g.service
}

// leave adds what a group that is forgotten has shown to the past of its service.
func (d *Detector) leave(name ID, g *group) {
	of := d.poolOf(g)
	if of == nil {
		return
	}
	if i, found := slices.BinarySearchFunc(of.members, member{g.process, name}, compareMembers); found {
		of.members = slices.Delete(of.members, i, i+1)
	}
	if of.rules == nil {
		return
	}
	for i := range g.levels {
		of.add(formerLife{g.levels[i].bound, g.lifeOf(&g.levels[i], of.rules)})
	}
}

// add adds a life to the past.
func (p *pool) add(f formerLife) {
	if f.life.Arrivals == 0 && f.life.Exits == 0 {
		return
	}
	p.past = addLife(p.past, f)
}

// addLife adds a life to those of its level.
func addLife(to []formerLife, f formerLife) []formerLife {
	i, found := slices.BinarySearchFunc(to, f.bound, func(a formerLife, bound int64) int { return int(a.bound - bound) })
	if found {
		to[i].life = to[i].life.Plus(f.life)
		return to
	}
	if len(to) == maxBands {
		return to
	}
	return slices.Insert(to, i, f)
}

// sumOf returns what all lives have shown at a level, nil if that is not known.
func (p *pool) sumOf(bound int64) *growth.Life {
	for i := range p.sums {
		if p.sums[i].bound == bound {
			return &p.sums[i].life
		}
	}
	return nil
}

// forget forgets what is too long ago at a time.
func (p *pool) forget(at int64) {
	const half = int64(serviceMemory / 2)
	for ; at-p.pastAt >= half; p.pastAt += half {
		p.older, p.past = p.past, nil
		if p.older == nil {
			p.pastAt = at - half
		}
	}
}

// judgePool judges a group of a service, at most once in the time from one scrape of an
// instance to the next.
func (d *Detector) judgePool(p, service *process, name ID, o *observation) {
	g := d.groups[name]
	at := service.last
	r := o.reading.Rules
	interval := p.step - joinWithin
	if p.step == 0 { // it is new, and there may be many of them
		interval = int64(r.MinDuration) / looksPerDuration
	}
	if g.at != 0 && at-g.at < interval {
		return
	}
	g.at = at
	g.pool.rules = r
	present := d.presentOf(g, at, int64(r.MinDuration))
	if at-g.pool.judged >= int64(r.MinDuration)/looksPerDuration {
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
	if e := d.entryOf(o); e != nil && severity > growth.None && g.kind == Stack {
		if of := d.groups[e.service]; of != nil && of.pool != nil {
			of.pool.covered = at
		}
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

// presentOf asks the members. Those of which nothing has come for duration are gone.
func (d *Detector) presentOf(of *group, at, duration int64) present {
	var now present
	last := ID(0) // process, of which there may be several members
	for _, m := range of.pool.members {
		g := d.groups[m.group]
		if g == nil || !near(g.at, at, duration) {
			continue
		}
		if g.severity > now.severity {
			now.severity, now.id = g.severity, g.flag.id
		}
		if len(g.levels) > 0 && g.arrived() || g.severity > growth.None {
			if m.process != last {
				now.instances++
			}
			last = m.process
			now.leaked += max(float64(g.grown), 1)
		}
	}
	return now
}

// instancesOf returns of how many instances of a service something has come within
// duration.
func (d *Detector) instancesOf(service *process, duration int64) int {
	n := 0
	service.instances = slices.DeleteFunc(service.instances, func(name ID) bool {
		p := d.processes[name]
		if p != nil && near(p.last, service.last, duration) {
			n++
		}
		return p == nil
	})
	return n
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
	last := member{}
	for _, m := range p.members {
		g := d.groups[m.group]
		if g == nil {
			continue
		}
		if g.grown > g.looked+0.5 {
			rose++
		}
		g.looked = g.grown
		again := m.process == last.process
		last = m
		for i := range g.levels {
			life := g.lifeOf(&g.levels[i], r)
			if again {
				life.Lives = 0 // it is another line of the same process
			}
			if sums = addLife(sums, formerLife{g.levels[i].bound, life}); i == 0 && near(g.at, at, int64(r.MinDuration)) {
				recent = recent.Plus(life)
			}
		}
	}
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
	sum     float64 // of all looks
	squares float64 // half the squares of what differed from one look to the next, summed up
}

func (s *spread) note(rose float64) {
	differs := rose - s.rose
	*s = spread{rose, s.sum + rose, s.squares + differs*differs/2}
}

// together tells whether goroutines arrive in many instances at once, as when another
// instance is added to which all connect. Independent instances differ from one look to the
// next by the square root of their number at most; these do by more.
func (s *spread) together() bool { return s.squares > leastDispersion*s.sum }

// leastDispersion is by how much more their variance must exceed their number: of some
// sixty looks, in three hours, it does so by chance in one case of thousands.
const leastDispersion = 2

// missing returns how many arrivals have not come that would have since the last one, at the
// pace before it. They take as long to come as goroutines take to get old.
func (p *pool) missing(at int64, r *growth.Rules, lowest formerLife) float64 {
	since := max(p.begun, p.pastAt-int64(serviceMemory/2))
	perHour := lowest.life.Arrivals / max(time.Duration(p.rose-since), r.MinDuration).Hours()
	return perHour * time.Duration(at-p.rose-lowest.bound).Hours()
}

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
	sums    []formerLife  // past and present, as they were added up last
	batch   uint64        // in which that was; not kept
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

// came returns how many have got old in a group since the watching began, and are there.
func (g *group) came(r *growth.Rules) float64 {
	switch {
	case !g.census || len(g.levels) == 0:
		return 0
	case g.levels[0].evidence != nil:
		return g.levels[0].evidence.Arrived(r)
	}
	return g.lifeOf(&g.levels[0], r).Arrivals
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
		if instance := o.reading.Process; service != nil && p.service != name {
			p.service = name
			if !slices.Contains(service.instances, instance) {
				service.instances = append(service.instances, instance)
			}
		}
		return service
	}
	return nil
}

// follow moves the time of a service on to that of a scrape of an instance, and tells whether
// that is to be believed. One instance whose clock is wrong must not stop the time of all. So
// a scrape that is ahead by more than slack and the time for which nothing came is believed
// when another instance agrees, or there is none; and when nobody has been on time for
// duration the time is set back.
func (p *process) follow(instance ID, at, clock, slack, duration int64, alone func() bool) bool {
	switch {
	case p.last == 0, at <= p.last && p.last-at <= duration:
	case at < p.last:
		if p.behind == 0 {
			p.behind = clock
		}
		if clock-p.behind <= duration && !alone() {
			return false
		}
		p.last = at
	case at-p.last > slack+max(0, clock-p.seen) && (p.jumpedBy == 0 || p.jumpedBy == instance || !near(p.jumped, at, duration)) && !alone():
		p.jumped, p.jumpedBy = at, instance
		return false
	}
	p.last, p.seen, p.behind, p.jumped, p.jumpedBy = max(p.last, at), clock, 0, 0, 0
	return true
}

// judgeService judges the groups of a service after a scrape of one of its instances.
func (d *Detector) judgeService(p *process, s *scrape, judged []judgement) {
	service := d.serviceOf(p, s)
	if service == nil {
		return
	}
	pools := d.joinAll(s, judged)
	var r *growth.Rules
	instance := ID(0)
	for _, o := range s.groups {
		if o.group.kind <= Entry {
			r, instance = o.reading.Rules, o.reading.Process
		}
	}
	duration := int64(r.MinDuration)
	alone := func() bool { return d.instancesOf(service, duration) <= 1 }
	if !service.follow(instance, s.at, d.clock, duration/looksPerDuration, duration, alone) {
		return
	}
	for _, kind := range []Kind{Stack, Entry} {
		for _, o := range s.groups {
			if of := pools[o.group.service]; o.group.kind == kind && of != nil {
				d.judgePool(p, service, o.group.service, r)
				if e := d.entryOf(o); e != nil && kind == Stack && of.severity > growth.None {
					if entry := d.poolOf(e); entry != nil {
						entry.covered = service.last
					}
				}
				pools[o.group.service] = nil
			}
		}
	}
	for _, name := range slices.Clone(service.flagged) {
		if of, ok := pools[name]; !ok || of != nil {
			d.judgePool(p, service, name, r)
		}
	}
	service.flagged = slices.DeleteFunc(service.flagged, func(name ID) bool {
		g := d.groups[name]
		return g == nil || g.flag == nil
	})
}

// joinAll makes groups members of those of their service, and returns the latter. What former
// lives of the process have shown is added.
func (d *Detector) joinAll(s *scrape, judged []judgement) map[ID]*group {
	pools := make(map[ID]*group)
	former := make(map[ID][]formerLife)
	for i, o := range s.groups {
		if o.group.kind > Entry {
			continue
		}
		of := d.join(o, judged[i].former)
		if of == nil {
			continue
		}
		if _, again := pools[o.group.service]; !again {
			of.pool.ignored = true
		}
		pools[o.group.service] = of
		of.pool.ignored = of.pool.ignored && o.reading.Ignored
		for _, f := range judged[i].former {
			former[o.group.service] = addLine(former[o.group.service], f)
		}
	}
	for name, lives := range former {
		for _, f := range lives {
			pools[name].pool.add(f)
		}
	}
	return pools
}

// join makes a group a member of that of its service once anybody has got old in it, and
// returns the latter; nil if it is none.
func (d *Detector) join(o *observation, former []formerLife) *group {
	g := o.group
	g.ignored = o.reading.Ignored
	if d.poolOf(g) == nil {
		came := slices.ContainsFunc(former, func(f formerLife) bool { return f.life.Arrivals > 0 })
		if o.in == 0 || g.came(o.reading.Rules) < 1 && g.severity == growth.None && !came {
			return nil
		}
		of := d.groups[o.in]
		switch {
		case of == nil && d.room(len(d.groups)):
			of = &group{kind: g.kind, process: o.service, pool: &pool{begun: o.at, rose: o.at, pastAt: o.at}}
			d.groups[o.in] = of
		case of == nil || of.pool == nil || of.kind != g.kind || of.process != o.service:
			return nil
		}
		g.service = o.in
		m := member{g.process, o.name}
		if i, found := slices.BinarySearchFunc(of.pool.members, m, compareMembers); !found {
			of.pool.members = slices.Insert(of.pool.members, i, m)
		}
	}
	of := d.groups[g.service]
	of.seen = inSeconds(d.clock)
	return of
}

// leave adds what a group that is forgotten has shown to the past of its service.
func (d *Detector) leave(name ID, g *group) {
	of := d.poolOf(g)
	if of == nil {
		return
	}
	i, found := slices.BinarySearchFunc(of.members, member{g.process, name}, compareMembers)
	if found {
		of.members = slices.Delete(of.members, i, i+1)
	}
	if of.rules == nil {
		return
	}
	// Another line of the same process has the life.
	line := i > 0 && of.members[i-1].process == g.process || i < len(of.members) && of.members[i].process == g.process
	for k := range g.levels {
		f := formerLife{g.levels[k].bound, g.lifeOf(&g.levels[k], of.rules)}
		if line {
			f.life.Lives, f.life.Watched = 0, 0
		}
		of.add(f)
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
	to, i := levelIn(to, f.bound)
	if i >= 0 {
		to[i].life = to[i].life.Plus(f.life)
	}
	return to
}

// addLine adds what a line of a process has shown to what its others have: they are one life.
func addLine(to []formerLife, f formerLife) []formerLife {
	to, i := levelIn(to, f.bound)
	if i >= 0 {
		before := to[i].life
		to[i].life = before.Plus(f.life)
		to[i].life.Lives, to[i].life.Watched = max(before.Lives, f.life.Lives), max(before.Watched, f.life.Watched)
	}
	return to
}

// levelIn returns where a level is among some, which it adds; -1 if there are too many.
func levelIn(of []formerLife, bound int64) ([]formerLife, int) {
	i, found := slices.BinarySearchFunc(of, bound, func(a formerLife, bound int64) int { return cmp.Compare(a.bound, bound) })
	switch {
	case found:
	case len(of) == maxBands:
		return of, -1
	default:
		of = slices.Insert(of, i, formerLife{bound: bound})
	}
	return of, i
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
			now.leaked += max(came, float64(g.counts.risen()))
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

// instancesOf returns of how many instances of a service something has come within
// duration.
func (d *Detector) instancesOf(service *process, duration int64) int {
	n := 0
	service.instances = slices.DeleteFunc(service.instances, func(name ID) bool {
		p := d.processes[name]
		if p != nil && d.clock-p.seen <= duration {
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
	var lines []formerLife // of one process
	flush := func() {
		for _, f := range lines {
			sums = addLife(sums, f)
		}
		lines = lines[:0]
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
		last = m.process
		came := float32(g.came(r))
		if came > g.looked+0.5 {
			rose++
		}
		g.looked = came
		for i := range g.levels {
			lines = addLine(lines, formerLife{g.levels[i].bound, g.lifeOf(&g.levels[i], r)})
		}
		if d.isHere(g, r) && len(g.levels) > 0 {
			recent = recent.Plus(g.lifeOf(&g.levels[0], r))
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

package detect

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// serviceGroup is the state of a group of a service, in addition to that of any group.
type serviceGroup struct {
	members []member     // groups of its instances with arrivals, sorted
	past    []formerLife // sums of former lives by level
	older   []formerLife // the same before pastAt
	pastAt  int64        // start of past, Unix ns

	judged   int64   // when the lives were last added, Unix ns
	begun    int64   // first arrival, Unix ns
	rose     int64   // last arrival, Unix ns
	arrivals float64 // at the lowest level, when the lives were last added
	spread   arrivalSpread
	covered  int64 // of an entry: when one of its signatures was last flagged, Unix ns

	until   int64 // until when the lives are believed to show a leak, Unix ns; 0 if they do not
	leaked  float64
	perHour float64
	bound   int64 // level at which they show it, ns
	exits   float64
	ignored bool
	alone   bool          // no instance was flagged by itself when it was last shown
	sums    []formerLife  // sums of all lives by level
	batch   uint64        // when sums was computed; not saved
	rules   *growth.Rules // at the last judgement; nil after a restart until then
}

// missingWhenGone is how many expected arrivals must be missing for a leak to be over whose
// goroutines are gone. By chance so many are missing after one arrival in 20,000 (Poisson).
const missingWhenGone = 10

// missingWhenStopped is how many expected arrivals must be missing for growth to have stopped, like
// that after a scale-out: by chance one time in twenty.
const missingWhenStopped = 3

// judgeServiceGroup judges a group of a service, at most once in a scrape interval.
func (d *Detector) judgeServiceGroup(p, service *process, name ID, r *growth.Rules) {
	g := d.groups[name]
	if g == nil || g.asService == nil {
		return
	}
	at := service.last
	g.setBack(at)
	interval := p.step - joinWithin
	if p.step == 0 { // a new instance, of which there may be many
		interval = int64(r.MinDuration) / sumsPerDuration
	}
	if g.at != 0 && at-g.at < interval {
		return
	}
	g.at = at
	if g.asService.rules = r; g.flag != nil {
		g.seen = toSeconds(d.clock)
	}
	present := d.summarizeInstances(g, r)
	if at-g.asService.judged >= int64(r.MinDuration)/sumsPerDuration && g.asService.batch != d.batches {
		g.asService.batch = d.batches
		d.sumLives(g.asService, r, at, present)
	}
	severity := growth.None
	if g.asService.until > at {
		severity = growth.Probable
	}
	severity = max(severity, present.severity)
	if g.kind == Entry && g.severity == growth.None && g.asService.covered != 0 && isNear(g.asService.covered, at, int64(r.MinDuration)) {
		severity = growth.None
	}
	j := judgement{
		Verdict: growth.Verdict{Severity: severity, Leaked: present.leaked, PerHour: g.asService.perHour, Since: time.Unix(0, g.asService.begun)},
		bound:   time.Duration(g.asService.bound), exits: g.asService.exits, census: g.asService.until > at, known: true,
	}
	if j.Ended = growth.Slowed; present.leaked == 0 {
		j.Ended = growth.ProcessGone
	}
	of := observation{name: name, group: g, at: at, serviceGroup: present.id, reading: Reading{Rules: r, Ignored: g.asService.ignored}}
	if of.serviceGroup == 0 {
		of.serviceGroup = name
	}
	if severity > growth.None {
		g.asService.alone = present.severity == growth.None
	}
	shown := len(d.result.Verdicts)
	d.show(nil, &of, &j, severity)
	for i := range d.result.Verdicts[shown:] {
		v := &d.result.Verdicts[shown+i]
		v.Service, v.Instances, v.Of = true, present.instances, d.instancesOf(service, int64(r.MinDuration))
		v.Together = g.asService.alone
	}
}

// setBack limits all times to at, to which the clock was set back.
func (g *group) setBack(at int64) {
	if g.at <= at {
		return
	}
	p := g.asService
	g.at, p.judged, p.rose, p.begun, p.pastAt = at, min(p.judged, at), min(p.rose, at), min(p.begun, at), min(p.pastAt, at)
	p.until, p.covered = min(p.until, at+int64(growth.Held)), min(p.covered, at)
	if g.flag != nil {
		g.flag.last = min(g.flag.last, toSeconds(at))
	}
}

// sumsPerDuration is how often lives are added within MinDuration: twice for each segment of package
// growth.
const sumsPerDuration = 10

// instanceSummary is the present state of one group in the instances of a service.
type instanceSummary struct {
	severity  growth.Severity // highest
	id        ID              // finding of a flagged one
	leaked    float64
	instances int // with leaked goroutines
}

// summarizeInstances returns the summary of the members that are not ignored and have data within
// MinDuration.
func (d *Detector) summarizeInstances(of *group, r *growth.Rules) instanceSummary {
	var now instanceSummary
	last := ID(0) // process, which may have several members
	for _, m := range of.asService.members {
		g := d.groups[m.group]
		if g == nil || g.ignored || !d.hasRecentData(g, r) {
			continue
		}
		if g.severity > now.severity && g.flag != nil {
			now.severity, now.id = g.severity, g.flag.id
		}
		if came := g.arrived(r); came >= 1 || g.severity > growth.None {
			if m.process != last {
				now.instances++
			}
			last = m.process
			now.leaked += max(came, g.counts.grownOrZero())
		}
	}
	return now
}

// grownOrZero returns the growth of a level; 0 if l is nil.
func (l *level) grownOrZero() float64 {
	if l == nil {
		return 0
	}
	return l.grown()
}

// hasRecentData reports whether the group has data within MinDuration.
func (d *Detector) hasRecentData(g *group, r *growth.Rules) bool {
	return d.clock-g.seen.ns() <= int64(r.MinDuration)
}

// sumLives adds all lives and judges the sums.
func (d *Detector) sumLives(p *serviceGroup, r *growth.Rules, at int64, now instanceSummary) {
	missed := at-p.judged > 2*int64(r.MinDuration)/sumsPerDuration
	p.judged = at
	p.expire(at)
	sums := slices.Clone(p.past)
	for _, f := range p.older {
		sums = addLife(sums, f)
	}
	var recent growth.Life // sum of the present instances at the lowest level
	rose := 0.0
	var lines []formerLife // of one process
	here := false          // that process has recent data
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
		last, here = m.process, here || d.hasRecentData(g, r)
		came := float32(g.arrived(r))
		if came > g.arrivedAtLook+0.5 {
			rose++
		}
		g.arrivedAtLook = came
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
	missing := p.missingArrivals(at, r, lowest)
	for _, sum := range sums {
		if missing >= missingWhenStopped || !sum.life.Outlives(r) {
			continue
		}
		// A leak that is believed need not prove its pace again.
		if p.until > at || !p.spread.isSynchronous() && sum.life.KeepsPace(r) {
			p.until = at + int64(growth.Held)
			p.leaked, p.bound, p.exits = now.leaked, sum.bound, sum.life.Exits
			break
		}
	}
	if missing >= missingWhenGone && at-p.rose >= int64(r.MinDuration) && now.leaked <= p.leaked/2 {
		p.until = 0
	}
}

// arrivalSpread is how the arrivals of a service are spread over its instances: in how many of them
// goroutines arrived between two sums.
type arrivalSpread struct {
	rose    float64 // number of instances with arrivals, last time
	sum     float64 // decaying sum of rose
	squares float64 // decaying sum of half the squared differences of consecutive values
}

func (s *arrivalSpread) note(rose float64) {
	const kept = 1 - 1.0/spreadDecay
	differs := rose - s.rose
	*s = arrivalSpread{rose, kept*s.sum + rose, kept*s.squares + differs*differs/2}
}

// spreadDecay is the time constant of the sums, in calls of note: a day by default.
const spreadDecay = 480

// isSynchronous reports whether goroutines arrive in many instances at once, as when all connect to a
// new instance. With independent instances consecutive values differ by at most the square root of
// their number.
func (s *arrivalSpread) isSynchronous() bool { return s.squares > leastDispersion*s.sum }

// leastDispersion is the least ratio of variance to mean. By chance it is exceeded in at most 0.5% of
// cases after sixty values, which take three hours by default, and in 1% after thirty
// (TestIndependentInstances).
const leastDispersion = 2

// missingArrivals returns the expected number of arrivals since the last one, at the pace before it.
// Arrivals are delayed by the time that goroutines take to age.
func (p *serviceGroup) missingArrivals(at int64, r *growth.Rules, lowest formerLife) float64 {
	since := max(p.begun, p.pastAt-int64(pastRetention/2))
	perHour := lowest.life.Arrivals / max(time.Duration(p.rose-since), r.MinDuration).Hours()
	return perHour * time.Duration(at-p.rose-lowest.bound).Hours()
}

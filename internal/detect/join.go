package detect

import (
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// A signature and the entry of its goroutines may both grow by one leak: goroutines that
// are stuck stay in their signature, those that loop for ever wander between signatures
// and stay in their entry. It is one finding, wherever it shows.
//
//   - An entry is flagged first only where none of its signatures is, and after these had
//     MinDuration to be.
//   - While an entry is flagged, a signature of it that is merely suspected is not: a loop
//     has lines that seem to grow for a while. One that is probable is flagged as well, or
//     the second leak of an entry that serves all requests would stay hidden.
//   - If an entry is surer than each of its signatures that are flagged, then the one that
//     was flagged first has the entry's severity.
//   - A flag that is up stays up while the evidence of the other stands, even when its own
//     has lapsed, so that a finding is not told to be over because it shows elsewhere. It
//     ends when the goroutines of a signature are gone for MinDuration and another one of
//     the same entry is flagged by its own evidence.

// joint is what is remembered of an entry and its signatures together.
type joint struct {
	since   int64 // first of the flags that are held back, Unix ns; 0 is none
	carrier ID    // the signature that has the entry's severity; 0 is none
	// What the own evidence of its signatures has shown lately at most, of which, and when, Unix ns.
	worst   growth.Severity
	worstOf ID
	at      int64
	// shown is when a signature of it was flagged last, Unix ns.
	shown int64
}

// judge judges the observations of one time of a process.
func (d *Detector) judge(p *process, s *scrape) {
	if s.profiled {
		p.takeProfile(s.at, int64(d.config.MaxStale))
	}
	d.endAbsent(p, s, p.noteStart(s))
	p.noteBands(s)
	s.heldByPeer()
	p.scrapes++
	judged := make([]judgement, len(s.groups))
	// Entries come first, since who has merely moved in them is no leak, and shown
	// last, since their signatures explain them.
	slices.SortFunc(s.groups, compareOrder)
	for i, o := range s.groups {
		judged[i] = d.weigh(p, o)
	}
	d.tellMixed(p, s)
	d.gather(s, judged)
	for i, o := range s.groups {
		if o.group.kind == Stack {
			d.showStack(s, o, &judged[i])
		}
	}
	for i, o := range s.groups {
		switch o.group.kind {
		case Entry:
			d.showEntry(s, o, &judged[i])
		case Total:
			if p.hasStacks(o.at, int64(d.config.MaxStale)) {
				judged[i].Verdict = growth.Verdict{}
			}
			d.show(s, o, &judged[i], judged[i].Severity)
		case Memory:
			d.show(s, o, &judged[i], judged[i].Severity)
		}
	}
	d.judgeService(p, s, judged)
}

// compareOrder sorts entries before all others, and groups of a kind by their IDs.
func compareOrder(a, b *observation) int {
	rank := func(o *observation) int {
		if o.group.kind == Entry {
			return -1
		}
		return int(o.group.kind)
	}
	switch {
	case rank(a) != rank(b):
		return rank(a) - rank(b)
	case a.name < b.name:
		return -1
	}
	return 1
}

// weigh adds an observation to the evidence of its group, and returns what that shows by
// itself.
func (d *Detector) weigh(p *process, o *observation) judgement {
	g := o.group
	lowest := lowestBand{}
	if g.kind <= Entry {
		lowest = p.lowest[g.kind]
	}
	if !lowest.known {
		lowest.bound = -1
	}
	if o.has&censusParts == agedPart && o.has&countPart == 0 {
		d.result.refuse(Incomplete)
	}
	j := g.observe(o, lowest.bound, p.scrapes, d.entryOf(o), d.poolOf(g))
	if g.kind == Stack {
		if o.has&leakedPart != 0 {
			g.nameLeaked(p.profile, o.leaked, p.profiled)
		}
		g.confirm(p, o, &j, int64(d.config.MaxStale))
	}
	if j.known {
		g.raw = j.Severity
	}
	return j
}

// poolOf returns the group of the service that a group is a member of, nil if there is none.
func (d *Detector) poolOf(g *group) *pool {
	if of := d.groups[g.service]; g.service != 0 && of != nil {
		return of.pool
	}
	return nil
}

// heldByPeer notes of each entry whether most of its goroutines wait for the other end of a
// connection, which only its signatures tell.
func (s *scrape) heldByPeer() {
	for _, o := range s.groups {
		e := s.index[o.entry]
		if o.group.kind != Stack || e == nil || e.group.kind != Entry {
			continue
		}
		if o.reading.HeldByPeer {
			e.held += o.count
		} else {
			e.held -= o.count
		}
		e.reading.HeldByPeer = e.held > 0
	}
}

// gather notes of each entry what its signatures show by themselves.
func (d *Detector) gather(s *scrape, judged []judgement) {
	for i, o := range s.groups {
		e := d.entryOf(o)
		if e == nil || !judged[i].known {
			continue
		}
		if e.joint == nil {
			if judged[i].Severity == growth.None {
				continue
			}
			e.joint = &joint{}
		}
		t := e.joint
		if o.at > t.at || judged[i].Severity > t.worst {
			t.worst, t.worstOf = judged[i].Severity, o.name
		}
		t.at = max(t.at, o.at)
	}
}

// entryOf returns the entry of a signature, nil if it is not watched.
func (d *Detector) entryOf(o *observation) *group {
	if o.group.kind != Stack || o.entry == 0 {
		return nil
	}
	if e := d.groups[o.entry]; e != nil && e.kind == Entry {
		return e
	}
	return nil
}

// showStack decides at which severity a signature is flagged.
func (d *Detector) showStack(s *scrape, o *observation, j *judgement) {
	if !j.known {
		return
	}
	g, e := o.group, d.entryOf(o)
	severity := j.Severity
	minDuration := int64(o.reading.Rules.MinDuration)
	if e == nil || e.joint == nil || !near(e.at, o.at, minDuration) && e.at < o.at {
		d.show(s, o, j, severity)
		return
	}
	t := e.joint
	switch {
	case g.severity == growth.None && severity < growth.Probable && e.severity > growth.None:
		severity = growth.None
	case g.severity > severity && e.raw > growth.None && !g.deserted(o, t, minDuration):
		severity = max(severity, min(g.severity, growth.Probable)) // a proof ends with itself
		j.Leaked = max(j.Leaked, float64(e.grown))
	}
	if severity > growth.None {
		if c := d.groups[t.carrier]; c == nil || c.severity == growth.None || c == g {
			t.carrier = o.name
			if e.raw > max(severity, t.worst) {
				severity = e.raw
			}
		}
		t.shown = o.at
	}
	d.show(s, o, j, severity)
}

// deserted tells whether nobody has been in a signature for duration, while another one
// of its entry is flagged by its own evidence.
func (g *group) deserted(o *observation, t *joint, duration int64) bool {
	if g.flag == nil {
		return false
	}
	switch {
	case g.count > 0:
		g.flag.empty = 0
	case g.flag.empty == 0:
		g.flag.empty = o.at
	}
	return g.flag.empty != 0 && o.at-g.flag.empty >= duration && t.worst > growth.None && t.worstOf != o.name
}

// showEntry decides at which severity an entry is flagged.
func (d *Detector) showEntry(s *scrape, o *observation, j *judgement) {
	if !j.known {
		return
	}
	e := o.group
	severity, minDuration := j.Severity, int64(o.reading.Rules.MinDuration)
	if e.joint == nil {
		if severity == growth.None && e.severity == growth.None {
			d.show(s, o, j, severity)
			return
		}
		e.joint = &joint{}
	}
	t := e.joint
	if !t.ripe(severity, o.at, minDuration) {
		severity = growth.None
	}
	recently := near(t.at, o.at, minDuration)
	switch {
	case e.severity == growth.None && t.shown != 0 && near(t.shown, o.at, minDuration):
		severity = growth.None
	case e.severity > severity && recently && t.worst > growth.None:
		severity = e.severity
	}
	d.show(s, o, j, severity)
}

// ripe tells whether there has been a flag for duration, up to a time, without a break.
func (t *joint) ripe(severity growth.Severity, at, duration int64) bool {
	switch {
	case severity == growth.None:
		t.since = 0
	case t.since == 0:
		t.since = at
	}
	return t.since != 0 && at-t.since >= duration
}

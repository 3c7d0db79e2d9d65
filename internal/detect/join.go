package detect

import (
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// A leak may make both a signature and its entry grow: stuck goroutines stay in their signature;
// those that loop forever move between signatures and stay in their entry. In either case there is
// one finding.
//
//   - An entry is flagged only if none of its signatures is, and MinDuration later than its
//     evidence.
//   - While an entry is flagged, its suspected signatures are not: a loop has lines that seem to
//     grow for a while. Probable ones are flagged, or a second leak of an entry that serves all
//     requests would remain hidden.
//   - If the severity of an entry exceeds that of each of its flagged signatures, the signature
//     that was flagged first gets the severity of the entry.
//   - An active flag stays while the evidence of the other holds, even if its own has lapsed, so
//     that a finding does not end because it shows elsewhere. It ends when a signature has been
//     empty for MinDuration and another one of the same entry is flagged by its own evidence.

// joint is the common state of an entry and its signatures.
type joint struct {
	since   int64 // first of the flags that are held back, Unix ns; 0 if none
	carrier ID    // signature that has the entry's severity; 0 if none
	// The highest recent severity by the own evidence of a signature, which one, and when,
	// Unix ns.
	worst   growth.Severity
	worstOf ID
	at      int64
	// shown is when a signature was last flagged, Unix ns.
	shown int64
}

// judge judges the observations of one time of a process.
func (d *Detector) judge(p *process, s *scrape) {
	if s.profiled {
		p.noteProfile(s.at, int64(d.config.MaxStale))
	}
	d.endAbsent(p, s, p.noteStart(s))
	p.noteBands(s)
	s.heldByPeer()
	p.scrapes++
	judged := make([]judgement, len(s.groups))
	// Entries are assessed first, since goroutines that merely moved in them are no leak, and
	// shown last, since their signatures explain them.
	slices.SortFunc(s.groups, compareOrder)
	for _, o := range s.groups {
		o.entryGroup = d.entryOf(s, o)
	}
	for i, o := range s.groups {
		judged[i] = d.assess(p, o)
	}
	d.reportMixed(p, s)
	d.noteSignatures(s, judged)
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

// compareOrder sorts entries before all others, and groups of a kind by ID.
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

// assess adds an observation to the evidence of its group, and returns its judgement by itself.
func (d *Detector) assess(p *process, o *observation) judgement {
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
	j := g.observe(o, lowest.bound, p.scrapes, o.entryGroup, d.serviceGroupOf(g))
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

// serviceGroupOf returns the service group that a group is a member of, or nil.
func (d *Detector) serviceGroupOf(g *group) *serviceGroup {
	if of := d.groups[g.service]; g.service != 0 && of != nil {
		return of.asService
	}
	return nil
}

// heldByPeer sets HeldByPeer of each entry: whether most of its goroutines wait for the other end of
// a connection, according to its signatures.
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

// noteSignatures updates the joint of each entry from the judgements of its signatures.
func (d *Detector) noteSignatures(s *scrape, judged []judgement) {
	for i, o := range s.groups {
		e := o.entryGroup
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

// entryOf returns the entry of a signature, or nil if it is not watched.
func (d *Detector) entryOf(s *scrape, o *observation) *group {
	if o.group.kind != Stack || o.entry == 0 {
		return nil
	}
	if e := s.index[o.entry]; e != nil && e.group.kind == Entry {
		return e.group
	}
	if e := d.groups[o.entry]; e != nil && e.kind == Entry {
		return e
	}
	return nil
}

// showStack decides the severity of a signature.
func (d *Detector) showStack(s *scrape, o *observation, j *judgement) {
	if !j.known {
		return
	}
	g, e := o.group, o.entryGroup
	severity := j.Severity
	minDuration := int64(o.reading.Rules.MinDuration)
	if e == nil || e.joint == nil || !isNear(e.at, o.at, minDuration) && e.at < o.at {
		d.show(s, o, j, severity)
		return
	}
	t := e.joint
	switch {
	case g.severity == growth.None && severity < growth.Probable && e.severity > growth.None:
		severity = growth.None
	case g.severity > severity && e.raw > growth.None && !g.isDeserted(o, t, minDuration):
		severity = max(severity, min(g.severity, growth.Probable)) // Confirmed ends with its proof
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

// isDeserted reports whether a signature has been empty for duration, while another one of its entry
// is flagged by its own evidence.
func (g *group) isDeserted(o *observation, t *joint, duration int64) bool {
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

// showEntry decides the severity of an entry.
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
	if !t.isRipe(severity, o.at, minDuration) {
		severity = growth.None
	}
	recently := isNear(t.at, o.at, minDuration)
	switch {
	case e.severity == growth.None && t.shown != 0 && isNear(t.shown, o.at, minDuration):
		severity = growth.None
	case e.severity > severity && recently && t.worst > growth.None:
		severity = e.severity
	}
	d.show(s, o, j, severity)
}

// isRipe reports whether the entry has had a severity without a break for duration.
func (t *joint) isRipe(severity growth.Severity, at, duration int64) bool {
	switch {
	case severity == growth.None:
		t.since = 0
	case t.since == 0:
		t.since = at
	}
	return t.since != 0 && at-t.since >= duration
}

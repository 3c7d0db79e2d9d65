package detect

import "slices"

// Processes that report under one identity are judged as one, which is wrong either way:
// each looks like a restart of the other. They show in their starts. A process has one
// start, and a later process a later one, so the start of a stream never goes back from one
// observation to a later one. Of two processes that take turns it goes back in every other
// observation; of two in step there are two starts at one time.
//
// It may go back once without that: when the clock was set back between two lives of a
// process. So it must happen mixedReturns times, each within MinDuration of the one before.
// A sender that repeats a scrape does not look like that, since copies are not later.

// mixedReturns is how often the start must go back. A deploy in which the old process and
// the new one overlap for an interval or two makes fewer.
const mixedReturns = 3

// returns is how often the start of a process went back lately.
type returns struct {
	last  int64 // when it did, Unix ns
	count uint8
	// doubled tells that the process counts something twice, as where two libraries do, each
	// since a time of its own.
	doubled bool
}

// tellMixed looks for starts that went back in a scrape.
func (d *Detector) tellMixed(p *process, s *scrape) {
	if i := slices.IndexFunc(s.groups, func(o *observation) bool {
		return o.returned && (o.group.kind <= Entry || !p.returns.doubled)
	}); i >= 0 {
		d.noteReturn(p, s.groups[i].reading.Process, s.at)
	}
}

// noteReturn counts that a start went back, or was another one, at a time.
func (d *Detector) noteReturn(p *process, name ID, at int64) {
	r := &p.returns
	if r.count == mixedReturns || r.count > 0 && near(at, r.last, joinWithin) {
		return
	}
	if !near(at, r.last, int64(d.config.MinDuration)) {
		r.count = 0
	}
	r.last = at
	if r.count++; r.count == mixedReturns {
		d.result.Mixed = append(d.result.Mixed, name)
	}
}

// noteRival looks at a reading that is refused, since another one of its stream and time was
// there before it. A copy has the same start. Of a census another start is that of another
// process, which reports in step with this one.
func (d *Detector) noteRival(p *process, r *Reading, start int64) {
	switch {
	case start == 0 || r.Start == 0 || r.Start == start:
	case r.Kind > Entry:
		p.returns.doubled = true
	default:
		d.noteReturn(p, r.Process, r.At)
	}
}

// startFor returns the start that a reading should have that comes with the latest
// observation; 0 if that is unknown.
func (g *group) startFor(r *Reading) int64 {
	part, lowest := Count, true
	if g.census {
		part, lowest = Exits, len(g.levels) > 0 && g.levels[0].bound == int64(r.Band)
	}
	if g.behind || r.Part != part || !lowest || !near(r.At, g.at, joinWithin) {
		return 0
	}
	return g.start
}

// startFor returns the start of the reading that was there before.
func (o *observation) startFor(r *Reading) int64 {
	if r.Part == Count {
		return o.countStart
	}
	for _, b := range o.bands {
		if b.bound == r.Band && r.Part == Exits {
			return b.start
		}
	}
	return 0
}

package detect

import "slices"

// Processes that report under the same identity are judged as one, wrongly: each looks like a restart
// of the other. Their starts give them away. A process has one start, and a later process a later
// one, so the start of a stream never goes back in a later observation. If two processes take
// turns, it goes back in every other observation; if they report at the same time, there are two
// starts at one time.
//
// The start may also go back once if the clock was set back between two lives of a process. So it
// must happen mixedReturns times, each within MinDuration of the previous one. A repeated scrape
// does not count, since it is not later.

// mixedReturns is how often the start must go back. It is more than in a deploy in which the old and
// the new process overlap for an interval or two.
const mixedReturns = 3

// startReturns counts how often the start of a process went back recently.
type startReturns struct {
	last  int64 // latest time, Unix ns
	count uint8
	// doubled reports whether the process counts something twice, for example with two
	// libraries that have different starts.
	doubled bool
}

// reportMixed looks for starts in a scrape that went back.
func (d *Detector) reportMixed(p *process, s *scrape) {
	if i := slices.IndexFunc(s.groups, func(o *observation) bool {
		return o.returned && (o.group.kind <= Entry || !p.returns.doubled)
	}); i >= 0 {
		d.noteReturn(p, s.groups[i].reading.Process, s.at)
	}
}

// noteReturn counts a start that went back, or a second start at the same time.
func (d *Detector) noteReturn(p *process, name ID, at int64) {
	r := &p.returns
	if r.count == mixedReturns || r.count > 0 && isNear(at, r.last, joinWithin) {
		return
	}
	if !isNear(at, r.last, int64(d.config.MinDuration)) {
		r.count = 0
	}
	r.last = at
	if r.count++; r.count == mixedReturns {
		d.result.Mixed = append(d.result.Mixed, name)
	}
}

// noteRival handles a reading that was refused because another one of the same stream and time came
// before. A duplicate has the same start. In a census another start means another process that
// reports at the same time.
func (d *Detector) noteRival(p *process, r *Reading, start int64) {
	switch {
	case start == 0 || r.Start == 0 || r.Start == start:
	case r.Kind > Entry:
		p.returns.doubled = true
	default:
		d.noteReturn(p, r.Process, r.At)
	}
}

// startFor returns the expected start of a reading of the latest observation; 0 if unknown.
func (g *group) startFor(r *Reading) int64 {
	part, lowest := Count, true
	if g.census {
		part, lowest = Exits, len(g.levels) > 0 && g.levels[0].bound == int64(r.Band)
	}
	if g.behind || r.Part != part || !lowest || !isNear(r.At, g.at, joinWithin) {
		return 0
	}
	return g.start
}

// startFor returns the start of the earlier reading of the same part.
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

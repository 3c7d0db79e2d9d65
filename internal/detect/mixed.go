package detect

import "slices"

// Processes that report under one identity are judged as one, which is wrong either way:
// each looks like a restart of the other. They show in their starts. A process has one
// start, and a later process a later one, so the start of a stream never goes back from one
// observation to a later one. Of two processes that take turns it goes back in every other
// observation.
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
}

// tellMixed looks for starts that went back in a scrape.
func (d *Detector) tellMixed(p *process, s *scrape) {
	i := slices.IndexFunc(s.groups, func(o *observation) bool { return o.returned })
	if i < 0 || p.returns.count == mixedReturns {
		return
	}
	if !near(s.at, p.returns.last, int64(d.config.MinDuration)) {
		p.returns.count = 0
	}
	p.returns.last = s.at
	if p.returns.count++; p.returns.count == mixedReturns {
		d.result.Mixed = append(d.result.Mixed, s.groups[i].reading.Process)
	}
}

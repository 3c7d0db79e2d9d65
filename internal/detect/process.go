package detect

import "time"

// process is the state of one process, which is one resource.
type process struct {
	last     int64 // latest accepted timestamp, Unix ns; 0 before the first
	rejected int64 // a timestamp that was rejected, Unix ns; 0 if none
	step     int64 // between the last two timestamps, ns
	seen     int64 // the detector's clock at the last reading, Unix ns

	stacks   int64 // time of the last reading of a signature, Unix ns
	profile  uint32
	profiled int64 // profile is the number of leak profiles, profiled the time of the latest, Unix ns

	scrapes uint32 // judged scrapes

	newest      int64 // latest time that is open or was judged, Unix ns
	wholeInRow  uint8 // consecutive times that came in one batch each, up to wholeStreakAfterSplit
	everSplit   bool  // a time came in more than one batch
	newestSplit bool  // the newest time did
	lost        bool  // the newest time was open when the state was saved
	open        []*scrape

	returns startReturns // not saved: mixed processes are detected again after a restart
	start   int64        // of the latest census, Unix ns
	flagged []ID         // groups with a flag
	ended   [6]uint32
	counted int64 // since when ended counts, Unix ns; 0 before the first flag

	service      ID    // of an instance; 0 if unknown
	instances    []ID  // of a service
	rejectedFrom ID    // of a service: the instance whose timestamp was rejected
	behind       int64 // of a service: since when all instances are behind its time, by the detector's clock, Unix ns

	// lowest are the lowest age bands of signatures and of entries, by kind.
	lowest [2]lowestBand
}

type lowestBand struct {
	bound time.Duration // lower bound; -1 if unknown
	start int64         // start of the watcher that sent it, Unix ns
	known bool
}

// admit reports whether to accept a timestamp. It rejects one that is ahead of the last by more
// than ahead plus the time without data, or than maxSteps usual steps, or that is more than limit
// behind, until a later observation agrees with it: a single wrong timestamp must cost neither
// the history nor later data. The readings of one observation may differ a little.
func (p *process) admit(at, ahead, waited, limit int64) bool {
	switch {
	case p.last == 0:
		p.last = at
		return true
	case at <= p.last && isNear(at, p.last, limit):
		p.rejected = 0
		return true
	case at > p.last && isNear(at, p.last, min(max(ahead+waited, maxSteps*p.step), limit)):
		p.moveTo(at, p.last)
		return true
	case p.rejected != 0 && isNear(at, p.rejected, joinWithin):
		return false
	case p.rejected != 0 && at > p.rejected && isNear(at, p.rejected, limit):
		if p.last > at {
			p.newest = 0 // the clock was set back
		}
		p.moveTo(at, p.rejected)
		return true
	default:
		p.rejected = at
		return false
	}
}

func (p *process) moveTo(at, from int64) {
	if at-from > joinWithin {
		p.step = at - from
	}
	p.last, p.rejected = at, 0
}

// maxSteps is how many usual steps a timestamp may be ahead: two scrapes in between may be lost.
const maxSteps = 3

// hasStacks reports whether there was a signature within limit.
func (p *process) hasStacks(at, limit int64) bool {
	return p.stacks != 0 && isNear(at, p.stacks, limit)
}

// noteBands updates the lowest age bands of signatures and of entries: the lowest of any group,
// until another watcher has other bands.
func (p *process) noteBands(s *scrape) {
	for _, o := range s.groups {
		if o.group.kind > Entry || len(o.bands) == 0 {
			continue
		}
		low := &p.lowest[o.group.kind]
		first := &o.bands[0]
		if !low.known || first.bound < low.bound || first.has == censusParts && p.start > low.start {
			*low = lowestBand{bound: first.bound, start: p.start, known: true}
		}
	}
}

// noteStart reports whether a scrape is the first of another process or watcher: the starts of all
// its groups are later.
func (p *process) noteStart(s *scrape) bool {
	earliest := int64(0)
	for _, o := range s.groups {
		if start := o.start(); o.group.kind <= Entry && start != 0 && (earliest == 0 || start < earliest) {
			earliest = start
		}
	}
	before := p.start
	p.start = max(p.start, earliest)
	return before != 0 && p.start > before
}

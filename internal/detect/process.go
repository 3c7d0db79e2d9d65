package detect

import "time"

// process is what is remembered of one process: of one resource.
type process struct {
	last   int64 // latest believed time stamp, Unix ns; 0 before the first
	jumped int64 // a time stamp that was not believed, Unix ns; 0 is none
	step   int64 // from the time stamp before the last to the last, ns
	seen   int64 // the detector's clock at the last reading, Unix ns

	stacks   int64 // time of the last reading of a signature, Unix ns
	profile  uint32
	profiled int64 // profile is how many leak profiles were told of, and this when the latest was, Unix ns

	scrapes uint32 // that were judged

	newest int64 // of the times that are open or were judged, Unix ns
	whole  uint8 // times running of which all came in one batch, up to wholeAgain
	splits bool  // there was one that did not
	split  bool  // the newest time came in more than one batch
	lost   bool  // the newest time was open when the state was kept, and came before a restart
	open   []*scrape

	returns returns // not kept: whoever is mixed up still is after a restart
	start   int64   // of the latest census, Unix ns
	flagged []ID    // groups that are flagged, or were until lately
	ended   [6]uint32
	counted int64 // since when ended counts, Unix ns; 0 before it does

	service   ID    // of which it is an instance; 0 is unknown
	instances []ID  // of a service
	jumpedBy  ID    // the instance of a service whose time stamp was not believed
	behind    int64 // since when all instances of a service are behind its time, by the detector's clock, Unix ns

	// lowest are the lower bounds of the lowest age bands of signatures and of
	// entries, by their kind, and since the start of which watcher, Unix ns.
	lowest [2]lowestBand
}

type lowestBand struct {
	bound time.Duration // -1 is unknown
	start int64
	known bool
}

// admit tells whether a time stamp is believed. One that is ahead of the last by more than
// ahead and the time for which nothing came, or than the usual steps, or lies further than
// limit back, is not, before one of a later observation agrees with it: a single wrong one
// must cost neither the history nor what comes after it. The readings of one observation
// may differ a little.
func (p *process) admit(at, ahead, waited, limit int64) bool {
	switch {
	case p.last == 0:
		p.last = at
		return true
	case at <= p.last && near(at, p.last, limit):
		p.jumped = 0
		return true
	case at > p.last && near(at, p.last, min(max(ahead+waited, usualSteps*p.step), limit)):
		p.moveTo(at, p.last)
		return true
	case p.jumped != 0 && near(at, p.jumped, joinWithin):
		return false
	case p.jumped != 0 && at > p.jumped && near(at, p.jumped, limit):
		if p.last > at {
			p.newest = 0 // the clock was set back
		}
		p.moveTo(at, p.jumped)
		return true
	default:
		p.jumped = at
		return false
	}
}

func (p *process) moveTo(at, from int64) {
	if at-from > joinWithin {
		p.step = at - from
	}
	p.last, p.jumped = at, 0
}

// usualSteps is how many steps a time stamp may be ahead: two in between may be lost.
const usualSteps = 3

// hasStacks tells whether a signature has been seen within limit.
func (p *process) hasStacks(at, limit int64) bool {
	return p.stacks != 0 && near(at, p.stacks, limit)
}

// noteBands learns which is the lowest age band of signatures and of entries. It is the
// lowest that any group has, until another watcher has other ones.
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

// noteStart tells whether a scrape is the first of another process, or of another watcher:
// all of its groups are counted from a later time.
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

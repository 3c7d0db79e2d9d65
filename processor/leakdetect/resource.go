package leakdetect

// resource is what is remembered of one resource, most often a process.
type resource struct {
	last   int64 // latest believed time stamp, Unix ns; 0 before the first
	jumped int64 // a time stamp that was not believed, Unix ns; 0 is none
	step   int64 // from the time stamp before the last to the last, ns
	seen   int64 // the watch's clock at the last point, Unix ns

	stacks int64 // time of the last point of a stack metric, Unix ns
	// profile is how many leak profiles were told of, and profiled when the
	// latest was, Unix ns. proofs is by group, the identity of its attributes.
	profile  uint32
	profiled int64
	proofs   map[id]*proof
	// entries holds, by entry, when a signature of it was last flagged.
	entries map[id]int64
}

// admit tells whether a time stamp is believed. One that is further than ahead from
// the last, or than the usual steps, or lies further than limit back, is not, before
// one of a later observation agrees with it: a single wrong one must cost neither the
// history nor what comes after it. The points of one observation may differ a little.
func (r *resource) admit(at, ahead, limit int64) bool {
	switch {
	case r.last == 0:
		r.last = at
		return true
	case at <= r.last && near(at, r.last, limit):
		r.jumped = 0
		return true
	case at > r.last && near(at, r.last, min(max(ahead, usualSteps*r.step), limit)):
		if at-r.last > int64(joinWithin) {
			r.step = at - r.last
		}
		r.last, r.jumped = at, 0
		return true
	case r.jumped != 0 && near(at, r.jumped, int64(joinWithin)):
		return false
	case r.jumped != 0 && at > r.jumped && near(at, r.jumped, limit):
		r.step = at - r.jumped
		r.last, r.jumped = at, 0
		return true
	default:
		r.jumped = at
		return false
	}
}

// usualSteps is how many steps a time stamp may be ahead: two in between may be lost.
const usualSteps = 3

// near tells whether two times are at most limit apart, all in ns.
func near(a, b, limit int64) bool { return max(a, b)-min(a, b) <= limit }

// flag remembers that a signature of an entry was flagged.
func (r *resource) flag(entry string, at int64) {
	if entry == "" {
		return // the stack was too deep to show it
	}
	r.explain(identifyText(entry), at)
}

// explain remembers when a signature of an entry was flagged.
func (r *resource) explain(entry id, at int64) {
	if r.entries == nil {
		r.entries = make(map[id]int64)
	}
	r.entries[entry] = at
}

// explained tells whether a signature of the entry was flagged less than
// duration ago. An entry counts the same goroutines as its signatures, and the
// evidence on both lapses at about the same time, but not to the minute.
func (r *resource) explained(entry string, at, duration int64) bool {
	flagged, ok := r.entries[identifyText(entry)]
	return ok && near(at, flagged, duration)
}

// hasStacks tells whether a stack metric has been seen within limit.
func (r *resource) hasStacks(at, limit int64) bool {
	return r.stacks != 0 && near(at, r.stacks, limit)
}

// forgetEntries forgets flags that explain nothing any more.
func (r *resource) forgetEntries(duration int64) {
	for entry, flagged := range r.entries {
		if !near(r.last, flagged, duration) {
			delete(r.entries, entry)
		}
	}
}

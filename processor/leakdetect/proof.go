package leakdetect

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// proof is what the runtime's leak profiles have said of one group. It is a proof
// when two running have named the group. One that does not, after that, is a
// profile that wavered.
type proof struct {
	profile uint32 // the latest that named the group, by its number
	twice   bool   // so did the one before it
	leaked  float64
	// What the first of those running said, and when, Unix ns.
	first float64
	since int64
	// start is that of the process, Unix ns; 0 before it is known.
	start int64
}

// takeProfile notes that a leak profile of the resource was told of, which numbers
// it. All points of one collection are about the same one. One from long before the
// latest shows that the clock was wrong until now.
func (r *resource) takeProfile(at, limit int64) {
	if at > r.profiled+int64(joinWithin) || !near(at, r.profiled, limit) {
		r.profiled = at
		r.profile++
	}
}

// name takes in how many goroutines of a group the latest leak profile has proved to
// be leaked. None is no name.
func (r *resource) name(group id, leaked float64, at int64) {
	if leaked <= 0 {
		return
	}
	p := r.proofs[group]
	switch {
	case p == nil, r.profile-p.profile > wavering, !p.twice && r.profile-p.profile > 1:
		r.prove(group, &proof{profile: r.profile, leaked: leaked, first: leaked, since: at})
		return
	case r.profile != p.profile:
		p.twice = true
	}
	p.profile, p.leaked = r.profile, leaked
}

// prove keeps what is said of a group.
func (r *resource) prove(group id, p *proof) {
	if r.proofs == nil {
		r.proofs = make(map[id]*proof)
	}
	r.proofs[group] = p
}

// forgetProofs forgets what would have to be proved anew.
func (r *resource) forgetProofs() {
	for group, p := range r.proofs {
		if r.profile-p.profile > wavering {
			delete(r.proofs, group)
		}
	}
}

// wavering is how many leak profiles later a group must be named again to stay
// proved.
const wavering = 2

// confirm returns the verdict on a group in the light of what is proved of it. There
// is one even if its growth could not be judged.
func (r *resource) confirm(group id, s *stream, v growth.Verdict, judged bool, maxStale int64) (growth.Verdict, bool) {
	p := r.proofs[group]
	if p == nil {
		return v, judged
	}
	if p.start == 0 {
		p.start = s.start
	}
	emptied := s.have&countPart != 0 && s.count == 0
	if emptied || s.start > p.start || r.profile-p.profile >= wavering || !near(s.at, r.profiled, maxStale) {
		delete(r.proofs, group)
		return v, judged
	}
	if !p.twice {
		return v, judged
	}
	v.Severity = growth.Confirmed
	v.Leaked = max(v.Leaked, p.leaked)
	if v.PerHour == 0 {
		v.PerHour = p.perHour(r.profiled)
	}
	return v, true
}

// perHour is how fast the proved goroutines have grown in number, up to a time.
func (p *proof) perHour(now int64) float64 {
	hours := time.Duration(now - p.since).Hours()
	if hours <= 0 {
		return 0
	}
	return max(0, (p.leaked-p.first)/hours)
}

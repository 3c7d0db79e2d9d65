package detect

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

// takeProfile notes that a leak profile of the process was told of, which numbers
// it. All readings of one collection are about the same one. One from long before the
// latest shows that the clock was wrong until now.
func (p *process) takeProfile(at, limit int64) {
	if at > p.profiled+joinWithin || !near(at, p.profiled, limit) {
		p.profiled = at
		p.profile++
	}
}

// nameLeaked takes in how many goroutines of a group the latest leak profile has proved
// to be leaked. None is no name.
func (g *group) nameLeaked(profile uint32, leaked float64, at int64) {
	if leaked <= 0 {
		return
	}
	p := g.proof
	switch {
	case p == nil, profile-p.profile > wavering, !p.twice && profile-p.profile > 1:
		g.proof = &proof{profile: profile, leaked: leaked, first: leaked, since: at}
		return
	case profile != p.profile:
		p.twice = true
	}
	p.profile, p.leaked = profile, leaked
}

// wavering is how many leak profiles later a group must be named again to stay
// proved.
const wavering = 2

// confirm changes a judgement in the light of what is proved of the group. There is one
// even if its growth could not be judged.
func (g *group) confirm(p *process, o *observation, j *judgement, maxStale int64) {
	proved := g.proof
	if proved == nil {
		return
	}
	if proved.start == 0 {
		proved.start = g.start
	}
	emptied := o.has&countPart != 0 && o.count == 0
	gone := g.start > proved.start
	if emptied || gone || p.profile-proved.profile >= wavering || !near(o.at, p.profiled, maxStale) {
		g.proof = nil
		j.lapsed = proved.twice && !emptied && !gone
		return
	}
	if !proved.twice {
		return
	}
	j.known = true
	j.Severity = growth.Confirmed
	j.Leaked = max(j.Leaked, proved.leaked)
	if j.PerHour == 0 {
		j.PerHour = proved.perHour(p.profiled)
	}
	if j.Since.IsZero() {
		j.Since = timeOf(proved.since)
	}
}

// perHour is how fast the proved goroutines have grown in number, up to a time.
func (p *proof) perHour(now int64) float64 {
	hours := time.Duration(now - p.since).Hours()
	if hours <= 0 {
		return 0
	}
	return max(0, (p.leaked-p.first)/hours)
}

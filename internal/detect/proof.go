package detect

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// proof is the evidence of the runtime's leak profiles about one group. Two consecutive profiles with
// the group are a proof. After that, a single profile may lack the group.
type proof struct {
	profile uint32 // number of the latest profile with the group
	twice   bool   // the previous profile had it too
	leaked  float64
	// Number of leaked goroutines in the first of these profiles, and its time, Unix ns.
	first float64
	since int64
	// start is the start of the process, Unix ns; 0 if unknown.
	start int64
}

// noteProfile records a leak profile of the process and gives it a number. All readings of one
// collection belong to the same profile. If at is long before the latest profile, the clock was
// wrong until now.
func (p *process) noteProfile(at, limit int64) {
	if at > p.profiled+joinWithin || !isNear(at, p.profiled, limit) {
		p.profiled = at
		p.profile++
	}
}

// nameLeaked records how many goroutines of a group the latest leak profile proves to be leaked. A
// zero count is ignored.
func (g *group) nameLeaked(profile uint32, leaked float64, at int64) {
	if leaked <= 0 {
		return
	}
	p := g.proof
	switch {
	case p == nil, profile-p.profile > maxMissedProfiles, !p.twice && profile-p.profile > 1:
		g.proof = &proof{profile: profile, leaked: leaked, first: leaked, since: at}
		return
	case profile != p.profile:
		p.twice = true
	}
	p.profile, p.leaked = profile, leaked
}

// maxMissedProfiles is the number of leak profiles within which a group must be named again to stay
// proved.
const maxMissedProfiles = 2

// confirm adjusts a judgement by the proof of the group, even if there was nothing else to judge.
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
	if emptied || gone || p.profile-proved.profile >= maxMissedProfiles || !isNear(o.at, p.profiled, maxStale) {
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

// perHour returns the growth rate of the proved goroutines up to now.
func (p *proof) perHour(now int64) float64 {
	hours := time.Duration(now - p.since).Hours()
	if hours <= 0 {
		return 0
	}
	return max(0, (p.leaked-p.first)/hours)
}

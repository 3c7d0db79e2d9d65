package judge

import (
	"maps"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// rememberVerdict keeps the verdict until the flag of its group ends.
func (j *Judge) rememberVerdict(v *detect.Verdict) {
	groups := j.flagged[v.Finding]
	switch {
	case v.Severity == growth.None:
		delete(groups, v.Group)
		return
	case groups == nil:
		groups = make(map[detect.ID]detect.Verdict)
		j.flagged[v.Finding] = groups
	}
	groups[v.Group] = *v
}

// Served returns how many of the traced goroutines at a place were woken by others. The place is a
// group, or an entry with all of its groups.
func Served(at finding.Place, origins []origin.Origin) (served, total int) {
	for i := range origins {
		o := &origins[i]
		if place := PlaceOf(o.Signature); place == at || at.Function == "" && place.Function != "" && place.Entry == at.Entry {
			served, total = served+o.Served, total+o.Older
		}
	}
	return served, total
}

// IsAtWork reports whether at least half of the goroutines were served. They are not stuck: either
// sessions and workers that stay, or a leak that still receives work.
func IsAtWork(served, total int) bool { return served > 0 && 2*served >= total }

// DowngradeAtWork lowers probable findings to suspected if their goroutines are at work: clients
// that arrive during the watch and stay are otherwise indistinguishable from a leak. Stuck
// goroutines are not woken. Timers do not count, since they wake a loop without an exit.
func (j *Judge) DowngradeAtWork(p Process, origins []origin.Origin, at time.Time) {
	for i := range origins {
		place := PlaceOf(origins[i].Signature)
		if IsAtWork(Served(place, origins)) {
			j.atWork[groupID(p.id(), detect.Stack, origins[i].Signature.ID.String(), place)] = true
		}
		if entry := (finding.Place{Entry: place.Entry}); IsAtWork(Served(entry, origins)) {
			j.atWork[groupID(p.id(), detect.Entry, "", entry)] = true
		}
	}
	for _, groups := range j.flagged {
		if !j.anyAtWork(groups) {
			continue
		}
		for _, v := range maps.Clone(groups) {
			if v.Severity == growth.Probable {
				v.Severity, v.At = growth.Suspected, at.UnixNano()
				j.addVerdict(&v)
			}
		}
	}
	j.advance(at)
}

// anyAtWork reports whether any group of a finding is at work. Its groups arrive and stay together,
// like reader, writer and handler of a connection, so one counts for all.
func (j *Judge) anyAtWork(groups map[detect.ID]detect.Verdict) bool {
	for id := range groups {
		if j.atWork[id] {
			return true
		}
	}
	return false
}

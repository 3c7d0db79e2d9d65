package judge

import (
	"maps"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// flag remembers a verdict for as long as its group is flagged.
func (j *Judge) flag(v *detect.Verdict) {
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

// Served returns how many goroutines at a place others woke while they were traced, of how many: those
// of a group, or of all groups of an entry that were traced.
func Served(at finding.Place, origins []origin.Origin) (served, of int) {
	for i := range origins {
		o := &origins[i]
		if place := PlaceOf(o.Signature); place == at || at.Function == "" && place.Function != "" && place.Entry == at.Entry {
			served, of = served+o.Served, of+o.Older
		}
	}
	return served, of
}

// AtWork tells whether so many that were served are half of all or more. They are not stuck: sessions
// and workers that stay, or a leak that still gets work.
func AtWork(served, of int) bool { return served > 0 && 2*served >= of }

// Weigh takes findings for suspected whose goroutines were seen at work, which is the last that is
// learned in a watch: clients that come while it is looked, and stay, look like a leak in everything
// else. What is stuck is woken by nobody. A timer does not count: a loop without an exit is woken by one.
func (j *Judge) Weigh(p Process, origins []origin.Origin, at time.Time) {
	for i := range origins {
		place := PlaceOf(origins[i].Signature)
		if AtWork(Served(place, origins)) {
			j.working[groupID(p.id(), detect.Stack, origins[i].Signature.ID.String(), place)] = true
		}
		if entry := (finding.Place{Entry: place.Entry}); AtWork(Served(entry, origins)) {
			j.working[groupID(p.id(), detect.Entry, "", entry)] = true
		}
	}
	for _, groups := range j.flagged {
		if !j.atWork(groups) {
			continue
		}
		for _, v := range maps.Clone(groups) {
			if v.Severity == growth.Probable {
				v.Severity, v.At = growth.Suspected, at.UnixNano()
				j.verdict(&v)
			}
		}
	}
	j.advance(at)
}

// atWork tells whether any of these groups was seen at work. Those of one finding come and stay
// together, as reader, writer and handler of a connection do, so one of them speaks for the others.
func (j *Judge) atWork(groups map[detect.ID]detect.Verdict) bool {
	for id := range groups {
		if j.working[id] {
			return true
		}
	}
	return false
}

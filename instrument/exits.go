package instrument

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// exits are the aged goroutines that have left each group, or each entry, since
// Start. They outlive the group, and a census that has to begin anew.
//
// Attributes that are not observed in one collection are forgotten by the SDK, which
// then takes all that was ever counted for new where differences are exported (delta
// temporality). So what anybody has left is observed in every collection, whatever
// the latest sample tells of it.
type exits struct {
	of      map[attribute.Distinct]*total
	samples int64
}

// total is how many have left a group or an entry.
type total struct {
	attributes metric.MeasurementOption
	exits      int64
	seen       int64 // the latest sample that had the group
}

// maxResting bounds the groups, and the entries, whose exits are observed though the
// latest sample has nothing of them. With a sample of maxMaxSignatures they stay
// below the 2,000 sets at which the SDK sums up by itself. A group that is forgotten
// and comes back begins at 0.
const maxResting = 900

func newExits() exits { return exits{of: make(map[attribute.Distinct]*total)} }

// add adds what left since the sample before, and puts the totals in its place.
func (e *exits) add(rows []row) {
	e.samples++
	for i := range rows {
		r := &rows[i]
		t := e.of[r.set.Equivalent()]
		if t == nil && r.exits == 0 {
			continue
		}
		if t == nil {
			t = &total{attributes: r.attributes}
			e.of[r.set.Equivalent()] = t
		}
		t.exits += r.exits
		t.seen = e.samples
		r.exits = t.exits
	}
	e.forget()
}

// forget forgets those that have been out of sight the longest.
func (e *exits) forget() {
	var resting []attribute.Distinct
	for set, t := range e.of {
		if t.seen < e.samples {
			resting = append(resting, set)
		}
	}
	excess := len(resting) - maxResting
	if excess <= 0 {
		return
	}
	slices.SortFunc(resting, func(a, b attribute.Distinct) int {
		return cmp.Compare(e.of[a].seen, e.of[b].seen)
	})
	for _, set := range resting[:excess] {
		delete(e.of, set)
	}
}

// all returns the totals in a form that does not change any more.
func (e *exits) all() []total {
	all := make([]total, 0, len(e.of))
	for _, t := range e.of {
		all = append(all, *t)
	}
	return all
}

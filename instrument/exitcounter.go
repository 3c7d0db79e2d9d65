package instrument

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// exitCounter counts the aged goroutines that have left each group, or each entry. It
// is safe for concurrent use.
type exitCounter struct {
	counter metric.Int64Counter
	other   metric.MeasurementOption

	mu      sync.Mutex
	counted map[attribute.Distinct]struct{}
}

// The most groups, and the most entries, that are counted one by one while a process
// lives. An SDK keeps every set that a counter has had, and sums up by itself what comes
// after 2,000. Exits from further groups are counted under other, and nothing is told of
// their own: it is unknown, not 0. Groups that have had nobody aged yet take no more than
// half of the places: most come and go, and those that gather need them.
const (
	maxCounted      = 1900
	maxCountedYoung = maxCounted / 2
)

func newExitCounter(counter metric.Int64Counter, other attribute.Set) *exitCounter {
	return &exitCounter{
		counter: counter,
		counted: make(map[attribute.Distinct]struct{}),
		other:   metric.WithAttributeSet(other),
	}
}

// add counts the exits of rows.
func (c *exitCounter) add(ctx context.Context, rows []row) {
	for i := range rows {
		switch r := &rows[i]; {
		case r.exits == 0:
		case c.admit(r):
			c.counter.Add(ctx, r.exits, r.attributes)
		default:
			c.counter.Add(ctx, r.exits, c.other)
		}
	}
}

// show lets the next collection have a point of the row, though nobody may have left
// it, so that none is told from unknown.
func (c *exitCounter) show(ctx context.Context, r *row) {
	if c.admit(r) {
		c.counter.Add(ctx, 0, r.attributes)
	}
}

// admit reports whether a row is counted by itself.
func (c *exitCounter) admit(r *row) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	set := r.set.Equivalent()
	if _, ok := c.counted[set]; ok {
		return true
	}
	most := maxCounted
	if r.aged == 0 && r.exits == 0 {
		most = maxCountedYoung
	}
	if len(c.counted) >= most {
		return false
	}
	c.counted[set] = struct{}{}
	return true
}

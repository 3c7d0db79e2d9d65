package instrument

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// exitCounter counts the aged goroutines that have left each group, or each entry, by age
// band. It is safe for concurrent use.
type exitCounter struct {
	counter metric.Int64Counter
	other   []attribute.KeyValue

	mu sync.Mutex
	// counted are the groups that are counted by themselves, and whether their bands are.
	counted map[attribute.Distinct]bool
	banded  int // groups whose bands are counted by themselves, other aside
}

// An SDK sums up by itself what comes after 2,000 sets of attributes of an instrument:
// of a counter those of the whole life of the process, of what is observed those of one
// collection. So there are limits, each for the life of the process:
//
//   - The exits of maxCounted groups, and of as many entries, are counted one by one. Those
//     of further ones are counted under other, and nothing is sent of their own: they are
//     unknown, not 0. Groups that have had nobody aged yet take no more than half of the
//     places: most come and go, and those that gather need them.
//   - The age bands of maxBanded of these are told apart. Of further ones all that is aged
//     stays in the lowest band. That is less to judge by, but it is right: if exits from a
//     band were left out, what acquits the group would be missed.
//
// Exits thus have maxCounted + 3*maxBanded = 1,900 sets at most, and those of other. Aged
// goroutines have no more in a collection, since no more than settings.MaxMaxSignatures are listed.
const (
	maxCounted      = settings.MaxMaxSignatures
	maxCountedYoung = maxCounted / 2
	maxBanded       = 300
)

func newExitCounter(counter metric.Int64Counter, other []attribute.KeyValue) *exitCounter {
	set := attribute.NewSet(other...)
	return &exitCounter{
		counter: counter,
		counted: map[attribute.Distinct]bool{set.Equivalent(): true},
		other:   other,
	}
}

// add counts the exits of rows. It folds the rows whose bands cannot be counted. The
// lowest band is that of ages from lowest on.
func (c *exitCounter) add(ctx context.Context, rows []row, lowest time.Duration) {
	for i := range rows {
		r := &rows[i]
		if len(r.bands) > 1 && !c.admitBands(r) {
			r.fold()
		}
		for k := range r.bands {
			switch b := &r.bands[k]; {
			case b.newExits == 0:
			case c.admit(r):
				c.counter.Add(ctx, b.newExits, b.attributes)
			default:
				c.counter.Add(ctx, b.newExits, metric.WithAttributeSet(bandSet(c.other, lowest)))
			}
		}
	}
}

// show lets the next collection have a point of each band of the row that has exits,
// though nobody may have left it, so that none is told from unknown.
func (c *exitCounter) show(ctx context.Context, r *row) {
	for i := range r.bands {
		if b := &r.bands[i]; b.hasExits && c.admit(r) {
			c.counter.Add(ctx, 0, b.attributes)
		}
	}
}

// admit reports whether a row is counted by itself.
func (c *exitCounter) admit(r *row) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admitLocked(r)
}

func (c *exitCounter) admitLocked(r *row) bool {
	group := r.set.Equivalent()
	if _, ok := c.counted[group]; ok {
		return true
	}
	most := maxCounted
	if r.isYoung() {
		most = maxCountedYoung
	}
	if len(c.counted) > most { // one is other
		return false
	}
	c.counted[group] = false
	return true
}

// admitBands reports whether the bands of a row are counted by themselves. It is so from
// the first time on that anybody is in a higher one, before there are exits, or never.
func (c *exitCounter) admitBands(r *row) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.admitLocked(r) {
		return false
	}
	group := r.set.Equivalent()
	if !c.counted[group] && c.banded < maxBanded {
		c.banded++
		c.counted[group] = true
	}
	return c.counted[group]
}

package instrument

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// exitCounter counts the exits of aged goroutines of each group, or each entry, by age band. It is
// safe for concurrent use.
type exitCounter struct {
	counter metric.Int64Counter
	other   []attribute.KeyValue

	mu sync.Mutex
	// counted are the groups with their own series; the value is whether their bands have too.
	counted map[attribute.Distinct]bool
	banded  int // groups whose bands have their own series, without other
}

// The SDK merges attribute sets above 2,000 of an instrument: for a counter over the life of the
// process, for an observable in one collection. So there are limits, each for the life of the
// process:
//
//   - The exits of maxCounted groups, and of as many entries, are counted individually. Those of
//     further ones are counted under other and have no series of their own: they are unknown, not
//     0. Groups without aged goroutines may take only half of the places: most of them come and
//     go, and groups that accumulate goroutines need the places.
//   - The age bands of maxBanded of these are counted individually. In further ones all aged
//     goroutines stay in the lowest band. That is less evidence, but correct: without the exits of
//     a band, evidence that a group is healthy would be missing.
//
// So exits have at most maxCounted + 3*maxBanded = 1,900 sets, plus those of other. Aged goroutines
// have no more in a collection, since at most settings.MaxMaxSignatures groups are listed.
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

// add counts the exits of rows. It folds rows whose bands cannot be counted individually. lowest is
// the lower bound of the lowest band.
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

// addZero makes the next collection have a point for the exits of each band of the row, even if
// there are none, so that 0 differs from unknown.
func (c *exitCounter) addZero(ctx context.Context, r *row) {
	for i := range r.bands {
		if b := &r.bands[i]; b.hasExits && c.admit(r) {
			c.counter.Add(ctx, 0, b.attributes)
		}
	}
}

// admit reports whether a row is counted individually.
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
	if len(c.counted) > most { // counted includes other
		return false
	}
	c.counted[group] = false
	return true
}

// admitBands reports whether the bands of a row are counted individually. That is decided when a
// goroutine first reaches a higher band, before there are exits.
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

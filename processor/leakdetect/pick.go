package leakdetect

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// item is a watched metric of a batch.
type item struct {
	watched
	data   pmetric.Metric
	origin *origin
	group  id // identity of the attributes of the point that is judged
}

// origin is the part of a batch that came from one resource.
type origin struct {
	index int // in the batch
	id    id
	// resource is nil until the metrics are judged.
	resource *resource
}

// pick returns the watched metrics of a batch, in the order in which they are to
// be judged.
func (w *watch) pick(md pmetric.Metrics, b *batch) []item {
	var items []item
	for i, rm := range md.ResourceMetrics().All() {
		first := len(items)
		items = w.pickFrom(rm, items)
		if len(items) == first {
			continue
		}
		attributes := rm.Resource().Attributes()
		if !identifiable(attributes, 0) {
			for _, it := range items[first:] {
				b.refuse(badAttributes, pointCount(it.data))
			}
			items = items[:first]
			continue
		}
		o := &origin{index: i, id: identify(attributes)}
		for j := range items[first:] {
			items[first+j].origin = o
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return int(a.rank) - int(b.rank) })
	return items
}

// pickFrom appends the watched metrics of one resource.
func (w *watch) pickFrom(rm pmetric.ResourceMetrics, items []item) []item {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			if found, ok := w.metrics[m.Name()]; ok {
				items = append(items, item{watched: found, data: m})
			}
		}
	}
	return items
}

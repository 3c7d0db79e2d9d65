package instrument

import (
	"context"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// originInstruments are the instruments of WithOrigins.
//
// Unlike all others, these counters are observable: the attributes of a group change as more becomes
// known, and end when it accumulates no more. With synchronous counters the former points would
// remain, up to the SDK's limit of 2,000 attribute sets. Nothing depends on their differences.
type originInstruments struct {
	creations, wakeups metric.Int64ObservableCounter
	traced             metric.Float64ObservableCounter
	lifetimes          *lifetimeHistogram
}

// originRow is the data points of one origin. It is immutable.
type originRow struct {
	traced           float64 // s
	attributes       metric.MeasurementOption
	creators, wakers []originCount
}

type originCount struct {
	count      int64
	attributes metric.MeasurementOption
}

func newOriginRows(told []origin.Origin) []originRow {
	var rows []originRow
	for i := range told {
		rows = append(rows, newOriginRow(&told[i]))
	}
	return rows
}

func newOriginRow(o *origin.Origin) originRow {
	subject := slices.Clip(subjectAttributes(o.Signature))
	caught := slices.Clip(append(subject, attribute.String(telemetry.AttrOriginCaught, string(o.Caught))))
	class := caught
	if o.Class != mistake.Unknown {
		class = append(class, attribute.String(telemetry.AttrOriginClass, string(o.Class)))
	}
	row := originRow{traced: o.Traced.Seconds(), attributes: attributesOption(class...)}
	for i := range o.Creators {
		c := &o.Creators[i]
		row.creators = append(row.creators, originCount{int64(c.Count), attributesOption(append(caught, creatorAttributes(c)...)...)})
	}
	for i := range o.Wakers {
		w := &o.Wakers[i]
		row.wakers = append(row.wakers, originCount{int64(w.Count), attributesOption(append(subject, wakerAttributes(w)...)...)})
	}
	return row
}

// observe observes the known origins. It does nothing if i is nil.
func (i *originInstruments) observe(o metric.Observer, t *originTracer) {
	if i == nil || t == nil {
		return
	}
	told := t.rows.Load()
	if told == nil {
		return
	}
	for _, row := range *told {
		o.ObserveFloat64(i.traced, row.traced, row.attributes)
		for _, c := range row.creators {
			o.ObserveInt64(i.creations, c.count, c.attributes)
		}
		for _, w := range row.wakers {
			o.ObserveInt64(i.wakeups, w.count, w.attributes)
		}
	}
}

// lifetimeHistogram records the lifetimes of goroutines that started and ended in a trace.
type lifetimeHistogram struct{ metric.Float64Histogram }

// record records the lifetimes in a trace, by entry. Each is recorded as the bound of its class,
// which is up to 19% more, so the sum of the histogram is too. It does nothing if h is nil.
func (h *lifetimeHistogram) record(ctx context.Context, seen []origin.Origin) {
	if h == nil {
		return
	}
	// Groups with the same entry may have different numbers of lifetimes.
	byEntry := make(map[string]*exectrace.Lifetimes)
	for i := range seen {
		entry, lives := seen[i].Signature.Entry, &seen[i].Lifetimes
		if known := byEntry[entry]; entry != "" && (known == nil || known.Count() < lives.Count()) {
			byEntry[entry] = lives
		}
	}
	for _, entry := range slices.Sorted(maps.Keys(byEntry)) {
		attributes := attributesOption(entryAttributes(entry, "")...)
		for longest, n := range byEntry[entry].All() {
			for range n {
				h.Record(ctx, longest.Seconds(), attributes)
			}
		}
	}
}

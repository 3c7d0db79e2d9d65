package goroutinereceiver

import (
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// lifetimes are the lifetimes of goroutines that were started and ended in traces, by entry.
// They are emitted as a histogram, which mdatagen does not support.
type lifetimes struct {
	start, at pcommon.Timestamp
	byEntry   map[string]exectrace.Lifetimes
}

// add adds the lifetimes of an entry. Of several groups with the same entry, the one with the most
// lifetimes is kept.
func (l *lifetimes) add(entry string, lives *exectrace.Lifetimes) {
	known := l.byEntry[entry]
	if entry == "" || lives.Count() <= known.Count() {
		return
	}
	if l.byEntry == nil {
		l.byEntry = make(map[string]exectrace.Lifetimes)
	}
	l.byEntry[entry] = *lives
}

// appendTo appends the histogram to the metrics of a scrape.
func (l *lifetimes) appendTo(metrics pmetric.Metrics) {
	if len(l.byEntry) == 0 || metrics.ResourceMetrics().Len() == 0 {
		return
	}
	m := metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
	m.SetName(telemetry.OriginLifetime)
	m.SetUnit(telemetry.UnitSeconds)
	m.SetDescription("Lifetimes of goroutines with this entry function that started and ended while the service was traced. Lifetimes longer than a trace are not included.")
	histogram := m.SetEmptyHistogram()
	histogram.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, entry := range slices.Sorted(maps.Keys(l.byEntry)) {
		lives := l.byEntry[entry]
		point := histogram.DataPoints().AppendEmpty()
		point.SetStartTimestamp(l.start)
		point.SetTimestamp(l.at)
		point.Attributes().PutStr(telemetry.AttrEntry, entry)
		point.SetCount(uint64(lives.Count()))
		point.BucketCounts().FromRaw(lives.BucketCounts())
		for _, bound := range exectrace.LifetimeBounds() {
			point.ExplicitBounds().Append(bound.Seconds())
		}
	}
}

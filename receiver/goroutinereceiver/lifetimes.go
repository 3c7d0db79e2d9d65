package goroutinereceiver

import (
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// lifetimes is how long goroutines lived that were started and ended in traces, by entry. It
// is emitted as a histogram, which the generated builder does not have.
type lifetimes struct {
	start, at pcommon.Timestamp
	of        map[string]exectrace.Lifetimes
}

// add takes in what is known of an entry. Of several groups with the same entry, the one
// that was looked at longest knows the most.
func (l *lifetimes) add(entry string, of *exectrace.Lifetimes) {
	known := l.of[entry]
	if entry == "" || of.Count() <= known.Count() {
		return
	}
	if l.of == nil {
		l.of = make(map[string]exectrace.Lifetimes)
	}
	l.of[entry] = *of
}

// appendTo adds the histogram to the metrics of a scrape.
func (l *lifetimes) appendTo(metrics pmetric.Metrics) {
	if len(l.of) == 0 || metrics.ResourceMetrics().Len() == 0 {
		return
	}
	m := metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
	m.SetName(telemetry.OriginLifetime)
	m.SetUnit(telemetry.UnitSeconds)
	m.SetDescription("How long goroutines of the entry lived that were started and ended while the service was traced. Longer ones than a trace are not among them.")
	histogram := m.SetEmptyHistogram()
	histogram.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, entry := range slices.Sorted(maps.Keys(l.of)) {
		of := l.of[entry]
		point := histogram.DataPoints().AppendEmpty()
		point.SetStartTimestamp(l.start)
		point.SetTimestamp(l.at)
		point.Attributes().PutStr(telemetry.AttrEntry, entry)
		point.SetCount(uint64(of.Count()))
		point.BucketCounts().FromRaw(of.BucketCounts())
		for _, bound := range exectrace.LifetimeBounds() {
			point.ExplicitBounds().Append(bound.Seconds())
		}
	}
}

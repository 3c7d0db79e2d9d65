package leakdetect

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// FuzzConsume checks that any input passes through unchanged, except for appended scopes, and
// without a panic. The processor has already flagged the leak of the seeds, so that flags are
// appended too. Coverage depends on the order of maps, so fuzz with -fuzzminimizetime 10x to limit
// the time for minimizing inputs.
func FuzzConsume(f *testing.F) {
	now := epoch.Add(time.Hour)
	s := newFakeProcess("shop")
	flat := fakeProcess{service: "shop", start: epoch, flat: true}
	for _, md := range []pmetric.Metrics{
		sampleBatch(now),
		s.counts(now, leaking("app.leak", "app.main", now, 3)),
		flat.census(now, leaking("app.leak", "app.main", now, 3)),
		sampleBatch(now.AddDate(74, 0, 0)),
		pmetric.NewMetrics(),
	} {
		f.Add(marshal(f, md))
	}
	for _, harm := range mutations() {
		md := sampleBatch(now)
		for _, rm := range md.ResourceMetrics().All() {
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				harm(m)
			}
		}
		f.Add(marshal(f, md))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
		require.NoError(t, err)
		for at := epoch; at.Before(now); at = at.Add(time.Minute) {
			_, _ = p.process(t.Context(), sampleBatch(at))
		}
		for range 2 {
			checkPassThrough(t, p, md)
		}
	})
}

// mutations returns functions that invalidate a watched metric in several ways.
func mutations() []func(pmetric.Metric) {
	points := func(change func(pmetric.NumberDataPoint)) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			if m.Type() != pmetric.MetricTypeSum {
				return
			}
			for _, p := range m.Sum().DataPoints().All() {
				change(p)
			}
		}
	}
	double := func(v float64) func(pmetric.Metric) {
		return points(func(p pmetric.NumberDataPoint) { p.SetDoubleValue(v) })
	}
	integer := func(v int64) func(pmetric.Metric) {
		return points(func(p pmetric.NumberDataPoint) { p.SetIntValue(v) })
	}
	times := func(start, at pcommon.Timestamp) func(pmetric.Metric) {
		return points(func(p pmetric.NumberDataPoint) {
			p.SetStartTimestamp(start)
			p.SetTimestamp(at)
		})
	}
	attribute := func(key, value string) func(pmetric.Metric) {
		return points(func(p pmetric.NumberDataPoint) { p.Attributes().PutStr(key, value) })
	}
	return []func(pmetric.Metric){
		double(math.NaN()), double(math.Inf(1)), double(math.Inf(-1)), double(math.MaxFloat64), double(0.5), double(-1),
		integer(-1), integer(math.MaxInt64), integer(math.MinInt64),
		times(0, 0), times(0, math.MaxUint64), times(math.MaxUint64, math.MaxUint64), times(math.MaxUint64, 1),
		points(func(p pmetric.NumberDataPoint) { p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)) }),
		points(func(p pmetric.NumberDataPoint) { p.Attributes().Clear() }),
		points(func(p pmetric.NumberDataPoint) { p.Attributes().PutInt(telemetry.AttrSignature, 7) }),
		points(func(p pmetric.NumberDataPoint) { p.Attributes().PutEmptyMap(telemetry.AttrEntry) }),
		attribute(telemetry.AttrSignature, ""),
		attribute(telemetry.AttrSignature, "one and the same"),
		attribute(telemetry.AttrFunction, strings.Repeat("long/", 20_000)),
		attribute(telemetry.AttrEntry, "main.\xff\n\x1b[31mred"),
		attribute(telemetry.AttrFunction, "<img src=x onerror=alert(1)>"),
		func(m pmetric.Metric) { // every point twice
			if m.Type() == pmetric.MetricTypeSum {
				twice := pmetric.NewNumberDataPointSlice()
				m.Sum().DataPoints().CopyTo(twice)
				twice.MoveAndAppendTo(m.Sum().DataPoints())
			}
		},
		func(m pmetric.Metric) {
			if m.Type() == pmetric.MetricTypeSum {
				m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
				m.Sum().SetIsMonotonic(!m.Sum().IsMonotonic())
			}
		},
		func(m pmetric.Metric) { m.SetEmptyGauge().DataPoints().AppendEmpty().SetDoubleValue(1) },
		func(m pmetric.Metric) { m.SetEmptyHistogram().DataPoints().AppendEmpty().SetCount(1) },
		func(m pmetric.Metric) { m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty().SetCount(1) },
		func(m pmetric.Metric) { m.SetEmptySummary().DataPoints().AppendEmpty().SetCount(1) },
		func(m pmetric.Metric) { m.SetEmptySum() },
		func(m pmetric.Metric) { m.SetName(strings.Repeat("goroutine.", 10_000)) },
	}
}

// checkPassThrough processes a copy of md and compares it with md, except for appended scopes.
func checkPassThrough(t *testing.T, p *leakDetect, md pmetric.Metrics) {
	in := pmetric.NewMetrics()
	md.CopyTo(in)
	out, err := p.process(t.Context(), in)
	require.NoError(t, err)
	require.Zero(t, p.failures.Load(), "panics")
	takeServiceFlags(out)
	for i, rm := range out.ResourceMetrics().All() {
		n := 0
		before := md.ResourceMetrics().At(i).ScopeMetrics().Len()
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			n++
			if n > before {
				require.Equal(t, metadata.ScopeName, sm.Scope().Name())
			}
			return n > before
		})
	}
	require.Equal(t, marshal(t, md), marshal(t, out))
}

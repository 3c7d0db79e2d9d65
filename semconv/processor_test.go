package semconv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// goMemory is a metric of contrib's runtime.
const goMemory, goMemoryType = "go.memory.used", "go.memory.type"

// TestProcessor has goroutines and memory flagged, and holds what is written to the registry.
func TestProcessor(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	factory := leakdetect.NewFactory()
	config := factory.CreateDefaultConfig().(*leakdetect.Config)
	config.MaxLifetime = time.Hour
	p, err := factory.CreateMetrics(t.Context(), processortest.NewNopSettings(factory.Type()), config, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for minutes := range 3 * 60 {
		require.NoError(t, p.ConsumeMetrics(t.Context(), growing(begin, minutes)))
	}
	require.NoError(t, p.Shutdown(t.Context()))

	r := loaded(t)
	own := map[string]bool{}
	for _, md := range sink.AllMetrics() {
		for _, m := range addedTo(md) {
			own[m.Name()] = true
			registered := r.metric(t, m.Name())
			assert.Equal(t, registered.Unit, m.Unit(), m.Name())
			for _, point := range pointsOf(t, m, registered.Instrument).All() {
				present := map[string]string{}
				for key, value := range point.Attributes().All() {
					if key != goMemoryType { // of the metric that leaks
						present[key] = value.AsString()
					}
				}
				checkPoint(t, registered, present)
			}
		}
	}
	checkSameNames(t, "metric", source{metricsFile + " (emitted_by: processor)", r.namesOf("processor")},
		source{"the output of processor/leakdetect", keys(own)})
}

// addedTo returns the metrics that the processor has added to a batch.
func addedTo(md pmetric.Metrics) []pmetric.Metric {
	var added []pmetric.Metric
	for _, rm := range md.ResourceMetrics().All() {
		for _, scope := range rm.ScopeMetrics().All() {
			if scope.Scope().Name() == "" {
				continue // what came in
			}
			for _, m := range scope.Metrics().All() {
				added = append(added, m)
			}
		}
	}
	return added
}

// pointsOf returns the points of a metric, which is what the registry says.
func pointsOf(t *testing.T, m pmetric.Metric, instrument string) pmetric.NumberDataPointSlice {
	if instrument == "counter" {
		require.Equal(t, pmetric.MetricTypeSum, m.Type())
		require.True(t, m.Sum().IsMonotonic())
		require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
		return m.Sum().DataPoints()
	}
	require.Equal(t, "gauge", instrument)
	require.Equal(t, pmetric.MetricTypeGauge, m.Type())
	return m.Gauge().DataPoints()
}

// growing returns what is told of a process after some minutes: goroutines of which ever more
// wait at one line, and memory.
func growing(begin time.Time, minutes int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	point := func(name string, monotonic bool, value int64) pcommon.Map {
		m := metrics.AppendEmpty()
		m.SetName(name)
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(monotonic)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := sum.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(begin))
		p.SetTimestamp(pcommon.NewTimestampFromTime(begin.Add(time.Duration(minutes) * time.Minute)))
		p.SetIntValue(value)
		return p.Attributes()
	}
	for name, value := range map[string]int{telemetry.StackCount: 3 * minutes, telemetry.StackAgedCount: 3 * max(0, minutes-10), telemetry.StackAgedExits: 0} {
		signature := point(name, name == telemetry.StackAgedExits, int64(value))
		if name != telemetry.StackCount {
			signature.PutDouble(telemetry.AttrAgeMin, 600)
		}
		signature.PutStr(telemetry.AttrSignature, "23674ceb13919c2c")
		signature.PutStr(telemetry.AttrState, "chan_send")
		signature.PutStr(telemetry.AttrFunction, "main.ask")
		signature.PutStr(telemetry.AttrFile, "/src/ask.go")
		signature.PutInt(telemetry.AttrLine, 95)
		signature.PutStr(telemetry.AttrEntry, "main.ask")
	}
	point(goMemory, false, int64(minutes)<<22).PutStr(goMemoryType, "other")
	return md
}

package points

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

var epoch = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// appendPoint appends a point with value, time and attributes to s.
func appendPoint(s pmetric.NumberDataPointSlice) pmetric.NumberDataPoint {
	p := s.AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(epoch.Add(time.Minute)))
	p.SetIntValue(7)
	p.Attributes().PutStr("text", "a")
	p.Attributes().PutInt("number", 5)
	p.Attributes().PutEmptySlice("list").AppendEmpty().SetStr("b")
	p.Attributes().PutEmptyMap("map").PutStr("c", "d")
	return p
}

func TestRead(t *testing.T) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	add := func(name string) pmetric.Metric {
		m := metrics.AppendEmpty()
		m.SetName(name)
		return m
	}
	gauge := add("gauge").SetEmptyGauge().DataPoints()
	appendPoint(gauge).SetDoubleValue(0.5)
	appendPoint(gauge).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	sum := add("sum").SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	appendPoint(sum.DataPoints()).SetStartTimestamp(pcommon.NewTimestampFromTime(epoch))
	delta := add("delta").SetEmptySum()
	delta.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	appendPoint(delta.DataPoints())
	add("histogram").SetEmptyHistogram().DataPoints().AppendEmpty().SetCount(7)
	add("empty")
	appendPoint(add("other").SetEmptyGauge().DataPoints())

	var read []finding.Point
	Read(md, func(metric string) bool { return metric != "other" }, func(p finding.Point) { read = append(read, p) })
	require.Len(t, read, 2)
	for i, want := range []struct {
		metric string
		start  time.Time
		value  float64
	}{
		{"gauge", time.Time{}, 0.5},
		{"sum", epoch, 7},
	} {
		p := read[i]
		assert.Equal(t, want.metric, p.Metric)
		assert.Equal(t, epoch.Add(time.Minute), p.At)
		assert.Equal(t, want.start, p.Start)
		assert.InDelta(t, want.value, p.Value, 0)
		assert.Equal(t, "shop", p.Resource("service.name"))
		for key, value := range map[string]string{"text": "a", "number": "5", "list": "", "map": "", "absent": ""} {
			assert.Equal(t, value, p.Attributes(key), key)
		}
	}
}

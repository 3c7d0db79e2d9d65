// Package points reads the points of pmetric.Metrics for package finding.
package points

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Read passes the points of metrics to observe if reads returns true for the name of the metric.
func Read(md pmetric.Metrics, reads func(metric string) bool, observe func(finding.Point)) {
	for _, rm := range md.ResourceMetrics().All() {
		resource := AttributesOf(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if reads(m.Name()) {
					readMetric(resource, m, observe)
				}
			}
		}
	}
}

func readMetric(resource finding.Attributes, m pmetric.Metric, observe func(finding.Point)) {
	for _, p := range pointsOf(m).All() {
		if p.Flags().NoRecordedValue() {
			continue // the staleness marker of Prometheus: the value is missing
		}
		observe(finding.Point{
			Metric:     m.Name(),
			Resource:   resource,
			Attributes: AttributesOf(p.Attributes()),
			At:         p.Timestamp().AsTime(),
			Start:      startOf(p),
			Value:      valueOf(p),
		})
	}
}

// pointsOf returns the points of a gauge or a cumulative sum, and none for other types: the
// difference in a delta sum would be mistaken for a level.
func pointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		if m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative {
			return m.Sum().DataPoints()
		}
	}
	return pmetric.NewNumberDataPointSlice()
}

func startOf(p pmetric.NumberDataPoint) time.Time {
	if p.StartTimestamp() == 0 {
		return time.Time{}
	}
	return p.StartTimestamp().AsTime()
}

func valueOf(p pmetric.NumberDataPoint) float64 {
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue())
	}
	return p.DoubleValue()
}

// AttributesOf returns the Attributes of a map. It omits lists and maps: package finding reads
// none, and a hostile sender could make them expensive to format.
func AttributesOf(m pcommon.Map) finding.Attributes {
	return func(key string) string {
		v, ok := m.Get(key)
		if !ok {
			return ""
		}
		switch v.Type() {
		case pcommon.ValueTypeStr:
			return v.Str()
		case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
			return v.AsString()
		}
		return ""
	}
}

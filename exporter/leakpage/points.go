package leakpage

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// readPoints hands on all points of the metrics that are read.
func readPoints(md pmetric.Metrics, reads func(metric string) bool, observe func(finding.Point)) {
	for _, rm := range md.ResourceMetrics().All() {
		resource := attributesOf(rm.Resource().Attributes())
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
			continue // Prometheus says so of a series that went stale: it is missing
		}
		observe(finding.Point{
			Metric:     m.Name(),
			Resource:   resource,
			Attributes: attributesOf(p.Attributes()),
			At:         p.Timestamp().AsTime(),
			Start:      startOf(p),
			Value:      valueOf(p),
		})
	}
}

// pointsOf returns the points of a gauge or a cumulative sum. None of the metrics that are
// read is anything else; a delta would be a level that it is not.
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

// attributesOf returns how to ask for attributes. Those that are no single value are as good
// as absent: none of them is ours, and to write a map as text takes as long as its sender likes.
func attributesOf(m pcommon.Map) finding.Attributes {
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

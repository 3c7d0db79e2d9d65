package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// reason is why a point could not be judged.
type reason string

// The reasons that there are; the same stand in metadata.yaml.
const (
	fine          reason = ""
	badType       reason = "type"         // neither gauge nor sum, or a sum that says no level
	badValue      reason = "out_of_range" // not a number, negative, or absurdly large
	noValue       reason = "no_value"     // flagged as such, as a stale series of Prometheus
	badTimestamp  reason = "timestamp"    // none, or absurdly late
	badJump       reason = "jump"         // far from the last of its resource, and not confirmed yet
	outOfOrder    reason = "out_of_order" // not later than one that was judged already
	badAttributes reason = "attributes"   // too many to be identified
	incomplete    reason = "incomplete"   // aged alone
)

// maxValue is the largest number that is judged: up to there integers are exact,
// and there are neither so many goroutines nor so many bytes.
const maxValue = 1 << 53

// maxTimestamp, in the year 2106, is far enough from the end of 64 bits that
// adding any horizon to it cannot overflow.
const maxTimestamp pcommon.Timestamp = 1 << 32 * 1e9

// reading is one point, read.
type reading struct {
	part  parts
	value float64
	at    int64 // Unix ns
	start int64 // since when a cumulative sum counts, Unix ns; 0 is unknown
	delta bool  // value is what was added since the point before
}

// levels returns the points of a metric that says how many there are, or how many
// left. Others, and those whose sum does not say it, are bad.
func levels(m pmetric.Metric, part parts) (points pmetric.NumberDataPointSlice, delta bool, why reason) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints(), false, fine
	case pmetric.MetricTypeSum:
		sum := m.Sum()
		delta = sum.AggregationTemporality() == pmetric.AggregationTemporalityDelta
		if part != exitsPart && (delta || sum.IsMonotonic()) {
			return sum.DataPoints(), delta, badType
		}
		return sum.DataPoints(), delta, fine
	default:
		return pmetric.NewNumberDataPointSlice(), false, badType
	}
}

// read reads a point.
func read(p pmetric.NumberDataPoint, part parts, delta bool) (reading, reason) {
	at := p.Timestamp()
	if at == 0 || at >= maxTimestamp {
		return reading{}, badTimestamp
	}
	value, why := number(p)
	if why != fine {
		return reading{}, why
	}
	r := reading{part: part, value: value, at: int64(at), delta: delta}
	// The start of a delta is the end of the one before, and no process
	// starts after it was observed.
	if start := p.StartTimestamp(); !delta && start <= at {
		r.start = int64(start)
	}
	return r, fine
}

func number(p pmetric.NumberDataPoint) (float64, reason) {
	if p.Flags().NoRecordedValue() {
		return 0, noValue
	}
	var v float64
	switch p.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		v = float64(p.IntValue())
	case pmetric.NumberDataPointValueTypeDouble:
		v = p.DoubleValue()
	default:
		return 0, noValue
	}
	if v >= 0 && v <= maxValue { // false for NaN
		return v, fine
	}
	return 0, badValue
}

// pointCount returns how many points a metric has.
func pointCount(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	default:
		return 0
	}
}

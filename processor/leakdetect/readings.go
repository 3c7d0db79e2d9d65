package leakdetect

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// Reasons to refuse a point, in addition to those of package detect. All are listed in
// metadata.yaml.
const (
	badType       detect.Reason = "type"       // neither gauge nor sum, or a sum of the wrong kind
	noValue       detect.Reason = "no_value"   // no recorded value, as in a stale series of Prometheus
	badAttributes detect.Reason = "attributes" // beyond the limits of identifiable
)

// reasons are all reasons to refuse a point.
var reasons = [...]detect.Reason{
	badType, noValue, detect.BadValue, detect.BadTimestamp, detect.BadJump, detect.BadBand, detect.OutOfOrder,
	badAttributes, detect.Incomplete,
}

// batchResource is a resource of a batch.
type batchResource struct {
	index   int // in the batch
	id      detect.ID
	service detect.ID // 0 if it has no name
	// together reports whether the service is judged as a whole.
	together bool
	// counted reports for which kinds the batch has had counts so far.
	counted [detect.Entry + 1]bool
	*rules
}

// groupRef refers to a group in a batch.
type groupRef struct {
	group, serviceGroup detect.ID
	resourceIndex       int
	metric              string
	attributes          pcommon.Map // still part of the batch
	hasAge              bool        // attributes contain the age band
}

// reader converts a batch to readings.
type reader struct {
	tracker   *tracker
	batch     *batch
	readings  []detect.Reading
	refs      []groupRef
	resources map[detect.ID]int // index in the batch by process
}

// begin prepares r for a batch.
func (r *reader) begin(b *batch) { r.batch = b }

// end drops all references to the batch, so that it does not stay in memory.
func (r *reader) end() {
	r.batch = nil
	r.readings = r.readings[:0]
	clear(r.refs)
	r.refs = r.refs[:0]
	clear(r.resources)
}

// read reads all watched points of a batch.
func (r *reader) read(md pmetric.Metrics) {
	for i, rm := range md.ResourceMetrics().All() {
		r.readResource(i, rm)
	}
}

func (r *reader) readResource(index int, rm pmetric.ResourceMetrics) {
	var from *batchResource
	identified := true
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			found, ok := r.tracker.metrics[m.Name()]
			if !ok {
				continue
			}
			if from == nil && identified {
				if attributes := rm.Resource().Attributes(); identifiable(attributes, 0) {
					from = r.tracker.resourceOf(index, attributes)
					r.resources[from.id] = index
				} else {
					identified = false
				}
			}
			if from == nil {
				r.batch.refuse(badAttributes, pointCount(m))
				continue
			}
			r.readMetric(from, found, m)
		}
	}
}

func (r *reader) readMetric(from *batchResource, w watchedMetric, m pmetric.Metric) {
	points, delta, why := numberPoints(m, w.part)
	if why != detect.OK {
		r.batch.refuse(why, pointCount(m))
		return
	}
	for _, p := range points.All() {
		if why := r.readPoint(from, w, p, delta); why != detect.OK {
			r.batch.refuse(why, 1)
		}
	}
}

func (r *reader) readPoint(from *batchResource, w watchedMetric, p pmetric.NumberDataPoint, delta bool) detect.Reason {
	value, why := numberOf(p)
	if why != detect.OK {
		return why
	}
	a, ok := readAttributes(w, p.Attributes())
	if !ok {
		return badAttributes
	}
	rules := from.goroutine
	if w.kind == detect.Memory {
		rules = from.memory[w.metric]
	}
	reading := detect.Reading{
		Process: from.id,
		Group:   groupOf(from.id, w.salt^from.salt, a.set),
		Rules:   rules,
		At:      int64(min(p.Timestamp(), maxInt64)),
		Start:   int64(min(p.StartTimestamp(), maxInt64)),
		Value:   value,
		Band:    a.band,
		Kind:    w.kind,
		Part:    w.part,
		Delta:   delta,
		Rest:    a.isOther(w.kind),
	}
	if w.kind == detect.Stack && !reading.Rest {
		if a.values[roleEntry] != "" {
			reading.Entry = groupOf(from.id, entrySalt^from.salt, a.entry)
		}
		reading.HeldByPeer = a.values[roleState] == telemetry.StateIOWait
	}
	if w.kind <= detect.Entry && !reading.Rest && from.service != 0 {
		// One reading of the group is enough.
		counted := &from.counted[w.kind]
		if *counted = *counted || w.part == detect.Count; w.part == detect.Count || w.part == detect.Aged && !*counted {
			reading.Rank = a.rank()
			if from.together {
				reading.Service = from.service
			}
			reading.ServiceGroup = a.findingID(from.service^detect.ID(from.salt), w.kind)
		}
	}
	if w.kind != detect.Memory {
		reading.Ignored = r.tracker.ignore.matches(p.Attributes(), reading.At)
	}
	r.readings = append(r.readings, reading)
	r.refs = append(r.refs, groupRef{reading.Group, reading.ServiceGroup, from.index, w.metric, p.Attributes(), a.hasAge})
	return detect.OK
}

const maxInt64 = pcommon.Timestamp(1<<63 - 1)

// ageKeys are the spellings of the attribute of the age band.
var ageKeys = spellings(telemetry.AttrAgeMin)

// spellings returns the name of an attribute, and its Prometheus spelling.
func spellings(key string) [2]string {
	return [2]string{key, strings.ReplaceAll(key, ".", "_")}
}

// numberPoints returns the points of a gauge or sum, or a reason if the type of the metric does not
// suit the part.
func numberPoints(m pmetric.Metric, part detect.Part) (points pmetric.NumberDataPointSlice, delta bool, why detect.Reason) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints(), false, detect.OK
	case pmetric.MetricTypeSum:
		sum := m.Sum()
		delta = sum.AggregationTemporality() == pmetric.AggregationTemporalityDelta
		if part != detect.Exits && (delta || sum.IsMonotonic()) {
			return sum.DataPoints(), delta, badType
		}
		return sum.DataPoints(), delta, detect.OK
	default:
		return pmetric.NewNumberDataPointSlice(), false, badType
	}
}

func numberOf(p pmetric.NumberDataPoint) (float64, detect.Reason) {
	if p.Flags().NoRecordedValue() {
		return 0, noValue
	}
	switch p.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		return float64(p.IntValue()), detect.OK
	case pmetric.NumberDataPointValueTypeDouble:
		return p.DoubleValue(), detect.OK
	default:
		return 0, noValue
	}
}

// pointCount returns the number of points of a metric.
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

package leakdetect

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// The reasons that a reading cannot be made of a point, beside those of package detect.
// All stand in metadata.yaml.
const (
	badType       detect.Reason = "type"       // neither gauge nor sum, or a sum that says no level
	noValue       detect.Reason = "no_value"   // flagged as such, as a stale series of Prometheus
	badAttributes detect.Reason = "attributes" // too many to be identified
)

// reasons are all for which a point may be refused.
var reasons = [...]detect.Reason{
	badType, noValue, detect.BadValue, detect.BadTimestamp, detect.BadJump, detect.BadBand, detect.OutOfOrder,
	badAttributes, detect.Incomplete,
}

// origin is the part of a batch that came from one resource.
type origin struct {
	index   int // in the batch
	id      detect.ID
	service detect.ID // 0 if it has no name
	// together tells that the service is judged as a whole.
	together bool
	// counted tells of which kinds counts have come in this batch.
	counted [detect.Entry + 1]bool
	*rules
}

// place is where in a batch a group is.
type place struct {
	group, in  detect.ID // in is that of its service
	origin     int
	metric     string
	attributes pcommon.Map // they still belong to the batch
	hasAge     bool        // one of them is the age band
}

// reader makes readings of a batch.
type reader struct {
	watch    *watch
	batch    *batch
	readings []detect.Reading
	places   []place
	origins  map[detect.ID]int // of processes, as indices in the batch
}

// begin has a reader read a batch.
func (r *reader) begin(b *batch) { r.batch = b }

// end forgets the batch, which must not stay in memory.
func (r *reader) end() {
	r.batch = nil
	r.readings = r.readings[:0]
	clear(r.places)
	r.places = r.places[:0]
	clear(r.origins)
}

// read takes all watched points of a batch.
func (r *reader) read(md pmetric.Metrics) {
	for i, rm := range md.ResourceMetrics().All() {
		r.readResource(i, rm)
	}
}

func (r *reader) readResource(index int, rm pmetric.ResourceMetrics) {
	var from *origin
	identified := true
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			found, ok := r.watch.metrics[m.Name()]
			if !ok {
				continue
			}
			if from == nil && identified {
				if attributes := rm.Resource().Attributes(); identifiable(attributes, 0) {
					from = r.watch.originOf(index, attributes)
					r.origins[from.id] = index
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

func (r *reader) readMetric(from *origin, w watched, m pmetric.Metric) {
	points, delta, why := levels(m, w.part)
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

func (r *reader) readPoint(from *origin, w watched, p pmetric.NumberDataPoint, delta bool) detect.Reason {
	value, why := number(p)
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
		Rest:    a.isRest(w.kind),
	}
	if w.kind == detect.Stack && !reading.Rest {
		if a.values[roleEntry] != "" {
			reading.Entry = groupOf(from.id, entrySalt^from.salt, a.entry)
		}
		reading.HeldByPeer = a.values[roleState] == telemetry.StateIOWait
	}
	if w.kind <= detect.Entry && !reading.Rest && from.service != 0 {
		// One of a group's readings needs to have it.
		counted := &from.counted[w.kind]
		if *counted = *counted || w.part == detect.Count; w.part == detect.Count || w.part == detect.Aged && !*counted {
			reading.Rank = a.rank()
			if from.together {
				reading.Service = from.service
			}
			reading.ServiceGroup = a.finding(from.service^detect.ID(from.salt), w.kind)
		}
	}
	if w.kind != detect.Memory {
		reading.Ignored = r.watch.ignore.matches(p.Attributes(), reading.At)
	}
	r.readings = append(r.readings, reading)
	r.places = append(r.places, place{reading.Group, reading.ServiceGroup, from.index, w.metric, p.Attributes(), a.hasAge})
	return detect.OK
}

const maxInt64 = pcommon.Timestamp(1<<63 - 1)

// ageKeys are the names of the attribute of an age band.
var ageKeys = bothNames(telemetry.AttrAgeMin)

// bothNames returns the name of an attribute, and the one that Prometheus makes of it.
func bothNames(key string) [2]string {
	return [2]string{key, strings.ReplaceAll(key, ".", "_")}
}

// levels returns the points of a metric that says how many there are, or how many
// left. Others, and those whose sum does not say it, are bad.
func levels(m pmetric.Metric, part detect.Part) (points pmetric.NumberDataPointSlice, delta bool, why detect.Reason) {
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

func number(p pmetric.NumberDataPoint) (float64, detect.Reason) {
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

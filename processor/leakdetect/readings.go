package leakdetect

import (
	"strconv"
	"strings"
	"time"

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
	// entries are the groups of entries, by the value of the attribute.
	entries map[string]detect.ID
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
	scratch  pcommon.Map       // the attributes of one point without its age
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
	switch {
	case why != detect.OK:
		return why
	case !identifiable(p.Attributes(), 0):
		return badAttributes
	}
	band, attributes, hasAge := r.identifying(w, p.Attributes())
	rules := from.goroutine
	if w.kind == detect.Memory {
		rules = from.memory[w.metric]
	}
	reading := detect.Reading{
		Process: from.id,
		Group:   groupOf(from.id, w.salt^from.salt, identify(attributes)),
		Rules:   rules,
		At:      int64(min(p.Timestamp(), maxInt64)),
		Start:   int64(min(p.StartTimestamp(), maxInt64)),
		Value:   value,
		Band:    band,
		Kind:    w.kind,
		Part:    w.part,
		Delta:   delta,
		Rest:    isRest(w.kind, attributes),
	}
	if w.kind == detect.Stack && !reading.Rest {
		reading.Entry = from.entryOf(attributes)
		reading.HeldByPeer = valueOf(attributes, telemetry.AttrState) == telemetry.StateIOWait
	}
	if w.kind <= detect.Entry && !reading.Rest && from.service != 0 {
		// One of a group's readings needs to have it.
		counted := &from.counted[w.kind]
		if *counted = *counted || w.part == detect.Count; w.part == detect.Count || w.part == detect.Aged && !*counted {
			reading.Rank = rankOf(attributes)
			if from.together {
				reading.Service = from.service
			}
			reading.ServiceGroup = findingOf(from.service^detect.ID(from.salt), w.kind, attributes)
		}
	}
	if w.kind != detect.Memory {
		reading.Ignored = r.watch.ignore.matches(attributes, reading.At)
	}
	r.readings = append(r.readings, reading)
	r.places = append(r.places, place{reading.Group, reading.ServiceGroup, from.index, w.metric, p.Attributes(), hasAge})
	return detect.OK
}

// entryOf returns the group of the entry of a signature, of those of its attributes; 0 if
// they do not tell it.
func (o *origin) entryOf(signature pcommon.Map) detect.ID {
	name := valueOf(signature, telemetry.AttrEntry)
	if name == "" {
		return 0
	}
	if group, ok := o.entries[name]; ok {
		return group
	}
	entry, _ := entryOf(signature)
	group := groupOf(o.id, entrySalt^o.salt, identify(entry))
	o.entries[name] = group
	return group
}

const maxInt64 = pcommon.Timestamp(1<<63 - 1)

// parseAge reads an age as Prometheus writes it; -1 if it is none.
func parseAge(text string) float64 {
	age, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return age
}

// maxBand is the largest age that is read: a hundred years.
const maxBand = 100 * 365 * 24 * 3600

// identifying returns the lower bound of the age band of a point, and the attributes that
// identify its group, which are good until the next call. A band that cannot be read is none,
// which detect refuses. The file of an entry is left out, since a signature does not tell it.
func (r *reader) identifying(w watched, attributes pcommon.Map) (band time.Duration, group pcommon.Map, hasAge bool) {
	var ageKey, fileKey string
	if w.part == detect.Aged || w.part == detect.Exits {
		ageKey = presentOf(attributes, ageKeys)
	}
	if w.kind == detect.Entry {
		fileKey = presentOf(attributes, entryFileKeys)
	}
	if ageKey == "" && fileKey == "" {
		return 0, attributes, false
	}
	attributes.CopyTo(r.scratch)
	if ageKey != "" {
		age, _ := attributes.Get(ageKey)
		band, hasAge = ageOf(age), true
		r.scratch.Remove(ageKey)
	}
	if fileKey != "" {
		r.scratch.Remove(fileKey)
	}
	return band, r.scratch, hasAge
}

// presentOf returns the first of some keys that is there, "" if none is.
func presentOf(attributes pcommon.Map, keys [2]string) string {
	for _, key := range keys {
		if _, ok := attributes.Get(key); ok {
			return key
		}
	}
	return ""
}

// ageOf returns the lower bound of an age band, -1 if it cannot be read.
func ageOf(v pcommon.Value) time.Duration {
	age := -1.0
	switch v.Type() {
	case pcommon.ValueTypeDouble:
		age = v.Double()
	case pcommon.ValueTypeInt:
		age = float64(v.Int())
	case pcommon.ValueTypeStr: // of Prometheus
		age = parseAge(v.Str())
	}
	if age >= 0 && age <= maxBand {
		return time.Duration(age * float64(time.Second))
	}
	return -1
}

// The names of the attributes of an age band, and of the file of an entry, the second of each as
// Prometheus makes it.
var (
	ageKeys       = bothNames(telemetry.AttrAgeMin)
	entryFileKeys = bothNames(telemetry.AttrEntryFile)
)

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

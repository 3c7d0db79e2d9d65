package instrument

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// sample is the state of the process at one time, in the form that is reported. It is immutable
// once published.
type sample struct {
	at              time.Time
	took            time.Duration
	source          metric.MeasurementOption
	groups, entries []row
}

// row is the data points of one group or entry.
type row struct {
	set        attribute.Set
	attributes metric.MeasurementOption // the same
	count      int64
	bands      []band // lowest first; higher ones only if they have points
}

// band is the data points of the aged goroutines of a row in one age band.
type band struct {
	set                   attribute.Set
	attributes            metric.MeasurementOption // the same
	aged, newExits        int64                    // newExits since the previous sample
	observeAged, hasExits bool                     // which points there are
}

// newSample converts a report to a sample.
func newSample(r census.Report, at time.Time) *sample {
	s := &sample{
		at:      at,
		groups:  make([]row, 0, len(r.Groups)),
		entries: make([]row, 0, len(r.Entries)),
	}
	for i := range r.Groups {
		attributes := otherSignature
		if g := &r.Groups[i]; !g.Other {
			attributes = signatureAttributes(&g.Signature)
		}
		s.groups = append(s.groups, newRow(attributes, r.Bounds, r.Groups[i].Numbers))
	}
	for _, e := range r.Entries {
		attributes := otherEntry
		if !e.Other {
			attributes = entryAttributes(e.Function, e.File)
		}
		s.entries = append(s.entries, newRow(attributes, r.Bounds, e.Numbers))
	}
	return s
}

func newRow(attributes []attribute.KeyValue, bounds [census.Bands]time.Duration, n census.Numbers) row {
	r := newCount(attributes, n.Count)
	for i, b := range n.Bands {
		if i == 0 || b.SendAged || b.SendExits || b.NewExits > 0 {
			set := bandSet(attributes, bounds[i])
			r.bands = append(r.bands, band{
				set: set, attributes: metric.WithAttributeSet(set),
				aged: int64(b.Aged), newExits: b.NewExits,
				observeAged: b.SendAged, hasExits: b.SendExits,
			})
		}
	}
	return r
}

// newCount returns a row without ages.
func newCount(attributes []attribute.KeyValue, count int) row {
	set := attribute.NewSet(attributes...)
	return row{set: set, attributes: metric.WithAttributeSet(set), count: int64(count)}
}

// isYoung reports whether the row has neither aged goroutines nor new exits.
func (r *row) isYoung() bool {
	return !slices.ContainsFunc(r.bands, func(b band) bool { return b.aged > 0 || b.newExits > 0 })
}

// fold merges all bands into the lowest.
func (r *row) fold() {
	lowest := &r.bands[0]
	for _, b := range r.bands[1:] {
		lowest.aged += b.aged
		lowest.newExits += b.newExits
	}
	r.bands = r.bands[:1]
}

// Attributes of the sum of all others.
var (
	otherSignature = []attribute.KeyValue{attribute.String(telemetry.AttrSignature, telemetry.SignatureOther)}
	otherEntry     = entryAttributes(telemetry.SignatureOther, "")
)

// signatureAttributes returns the attributes of a group, without unknown ones.
func signatureAttributes(s *stack.Signature) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		attribute.String(telemetry.AttrSignature, s.ID.String()),
		attribute.String(telemetry.AttrState, string(s.State)),
		attribute.String(telemetry.AttrFunction, s.Blamed.Function),
	}
	if s.Blamed.File != "" {
		attributes = append(attributes, attribute.String(telemetry.AttrFile, s.Blamed.File))
	}
	if s.Blamed.Line > 0 {
		attributes = append(attributes, attribute.Int(telemetry.AttrLine, s.Blamed.Line))
	}
	if s.Entry != "" {
		attributes = append(attributes, attribute.String(telemetry.AttrEntry, s.Entry))
	}
	return attributes
}

func entryAttributes(function, file string) []attribute.KeyValue {
	attributes := []attribute.KeyValue{attribute.String(telemetry.AttrEntry, function)}
	if file != "" {
		attributes = append(attributes, attribute.String(telemetry.AttrEntryFile, file))
	}
	return attributes
}

// bandSet returns the attributes of one age band of a group or an entry.
func bandSet(attributes []attribute.KeyValue, ageMin time.Duration) attribute.Set {
	return attribute.NewSet(append(slices.Clip(attributes), attribute.Float64(telemetry.AttrAgeMin, ageMin.Seconds()))...)
}

func sourceOption(source stack.Source) metric.MeasurementOption {
	return attributesOption(attribute.String(telemetry.AttrSampleSource, string(source)))
}

func attributesOption(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

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

// sample is one look at the process, in the form in which it is observed. It is
// immutable once it is published.
type sample struct {
	at              time.Time
	took            time.Duration
	source          metric.MeasurementOption
	groups, entries []row
}

// row is what is observed of one group or one entry.
type row struct {
	set        attribute.Set
	attributes metric.MeasurementOption // the same
	count      int64
	bands      []band // the lowest first; others that need not be observed are absent
}

// band is what is observed of the aged goroutines of a row in one age band.
type band struct {
	set                   attribute.Set
	attributes            metric.MeasurementOption // the same
	aged, newExits        int64                    // exits since the sample before
	observeAged, hasExits bool                     // what there are points of
}

// newSample returns a report as a sample.
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

// isYoung reports whether nobody in the row is aged, or has left it aged.
func (r *row) isYoung() bool {
	return !slices.ContainsFunc(r.bands, func(b band) bool { return b.aged > 0 || b.newExits > 0 })
}

// fold puts the goroutines of all bands into the lowest.
func (r *row) fold() {
	lowest := &r.bands[0]
	for _, b := range r.bands[1:] {
		lowest.aged += b.aged
		lowest.newExits += b.newExits
	}
	r.bands = r.bands[:1]
}

// The attributes of the sum of all others. It has its name only.
var (
	otherSignature = []attribute.KeyValue{attribute.String(telemetry.AttrSignature, telemetry.SignatureOther)}
	otherEntry     = entryAttributes(telemetry.SignatureOther, "")
)

// signatureAttributes returns the attributes of a group. What a stack did not tell is
// left out.
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

package instrument

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// sample is one look at the process, in the form in which it is observed. It is
// immutable.
type sample struct {
	at     time.Time
	took   time.Duration
	source metric.MeasurementOption
	// complete tells whether ages and exits are known.
	complete        bool
	groups, entries []row
}

// row is what is observed of one group or one entry.
type row struct {
	set                attribute.Set
	attributes         metric.MeasurementOption // the same
	count, aged, exits int64                    // exits since the sample before
}

// newSample returns a report as a sample.
func newSample(r census.Report, at time.Time) *sample {
	s := &sample{
		at:       at,
		complete: r.Complete,
		groups:   make([]row, 0, len(r.Groups)),
		entries:  make([]row, 0, len(r.Entries)),
	}
	for i := range r.Groups {
		set := otherSignature
		if g := &r.Groups[i]; !g.Other {
			set = signatureSet(&g.Signature)
		}
		s.groups = append(s.groups, newRow(set, r.Groups[i].Numbers))
	}
	for _, e := range r.Entries {
		set := otherEntry
		if !e.Other {
			set = entrySet(e.Function)
		}
		s.entries = append(s.entries, newRow(set, e.Numbers))
	}
	return s
}

func newRow(set attribute.Set, n census.Numbers) row {
	return row{
		set: set, attributes: metric.WithAttributeSet(set),
		count: int64(n.Count), aged: int64(n.Aged), exits: n.NewExits,
	}
}

// The attributes of the sum of all others. It has its name only.
var (
	otherSignature = attribute.NewSet(attribute.String(telemetry.AttrSignature, telemetry.SignatureOther))
	otherEntry     = entrySet(telemetry.SignatureOther)
)

// signatureSet returns the attributes of a group. What a stack did not tell is
// left out.
func signatureSet(s *stack.Signature) attribute.Set {
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
	return attribute.NewSet(attributes...)
}

func entrySet(function string) attribute.Set {
	return attribute.NewSet(attribute.String(telemetry.AttrEntry, function))
}

func sourceOption(source stack.Source) metric.MeasurementOption {
	return attributesOption(attribute.String(telemetry.AttrSampleSource, string(source)))
}

func attributesOption(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

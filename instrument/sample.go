package instrument

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// sample is one look at the process, in the form in which it is observed. It does
// not change any more, so any number of callbacks may read it.
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
	attributes         metric.MeasurementOption
	count, aged, exits int64
}

func newSample(r census.Report, at time.Time) *sample {
	s := &sample{
		at:       at,
		complete: r.Complete,
		groups:   make([]row, 0, len(r.Groups)),
		entries:  make([]row, 0, len(r.Entries)),
	}
	for i := range r.Groups {
		attributes := otherSignature
		if g := &r.Groups[i]; !g.Other {
			attributes = signatureOption(&g.Signature)
		}
		s.groups = append(s.groups, newRow(attributes, r.Groups[i].Numbers))
	}
	for _, e := range r.Entries {
		attributes := otherEntry
		if !e.Other {
			attributes = entryOption(e.Function)
		}
		s.entries = append(s.entries, newRow(attributes, e.Numbers))
	}
	return s
}

func newRow(attributes metric.MeasurementOption, n census.Numbers) row {
	return row{attributes: attributes, count: int64(n.Count), aged: int64(n.Aged), exits: n.Exits}
}

// The attributes of the sum of all others. It has its name only.
var (
	otherSignature = attributesOption(attribute.String(telemetry.AttrSignature, telemetry.SignatureOther))
	otherEntry     = entryOption(telemetry.SignatureOther)
)

func attributesOption(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

// signatureOption returns the attributes of a group. What a stack did not tell is
// left out.
func signatureOption(s *stack.Signature) metric.MeasurementOption {
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
	return attributesOption(attributes...)
}

func entryOption(function string) metric.MeasurementOption {
	return attributesOption(attribute.String(telemetry.AttrEntry, function))
}

func sourceOption(source stack.Source) metric.MeasurementOption {
	return attributesOption(attribute.String(telemetry.AttrSampleSource, string(source)))
}

package instrument

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// Origin is where the goroutines of a group come from. It has the content of the event
// goroutine.origin: package auto writes it as a log record.
type Origin struct {
	// Time is when the origin was found.
	Time time.Time
	// Text is a summary in one sentence.
	Text string
	// Attributes are those of the group, goroutine.origin.caught, and, if known,
	// goroutine.origin.class and code.stacktrace: the complete stacks of the code that starts
	// the goroutines and of the code that wakes their healthy siblings.
	Attributes []attribute.KeyValue
}

func newOrigin(o *origin.Origin, at time.Time) Origin {
	attributes := append(subjectAttributes(o.Signature), attribute.String(telemetry.AttrOriginCaught, string(o.Caught)))
	if o.Class != mistake.Unknown {
		attributes = append(attributes, attribute.String(telemetry.AttrOriginClass, string(o.Class)))
	}
	if trace := o.StackTrace(); trace != "" {
		attributes = append(attributes, attribute.String(telemetry.AttrStackTrace, trace))
	}
	return Origin{Time: at, Text: o.Sentence(), Attributes: attributes}
}

// subjectAttributes returns the attributes of a group, or of an entry.
func subjectAttributes(s stack.Signature) []attribute.KeyValue {
	if s.ID == 0 {
		return entryAttributes(s.Entry, "")
	}
	return signatureAttributes(&s)
}

// creatorTypes are the values of goroutine.creator.type.
var creatorTypes = map[exectrace.Launch]string{exectrace.ByGo: "go", exectrace.ByTimer: "timer", exectrace.ByC: "c"}

// creatorAttributes returns the attributes of a creator: the go statement, and the line of the
// service's own code, without unknown ones.
func creatorAttributes(c *origin.Creator) []attribute.KeyValue {
	all := []attribute.KeyValue{attribute.String(telemetry.AttrCreatorType, creatorTypes[c.Launch])}
	if len(c.Stack) > 0 {
		all = append(all, frameAttributes(c.Stack[0], telemetry.AttrCreatorFunction, telemetry.AttrCreatorFile, telemetry.AttrCreatorLine)...)
	}
	return append(all, frameAttributes(c.Own, telemetry.AttrCreatorOwnFunction, telemetry.AttrCreatorOwnFile, telemetry.AttrCreatorOwnLine)...)
}

func wakerAttributes(w *origin.Waker) []attribute.KeyValue {
	all := frameAttributes(w.Own, telemetry.AttrWakerFunction, telemetry.AttrWakerFile, telemetry.AttrWakerLine)
	if w.Call != "" {
		all = append(all, attribute.String(telemetry.AttrWakerCall, w.Call))
	}
	return all
}

func frameAttributes(f stack.Frame, function, file, line string) []attribute.KeyValue {
	if f.Function == "" {
		return nil
	}
	all := []attribute.KeyValue{attribute.String(function, f.Function)}
	if f.File != "" {
		all = append(all, attribute.String(file, f.File))
	}
	if f.Line > 0 {
		all = append(all, attribute.Int(line, f.Line))
	}
	return all
}

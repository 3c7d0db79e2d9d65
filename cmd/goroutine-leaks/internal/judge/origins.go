package judge

import (
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// AddOrigins adds the origins of groups to the findings and to the page.
func (j *Judge) AddOrigins(p Process, origins []origin.Origin, at time.Time) {
	for i := range origins {
		o := &origins[i]
		j.addOrigin(resourceOf(p), o, at)
		if j.aggregator != nil {
			j.aggregator.ObserveOrigin(finding.Service{Name: p.Service}, history.Origin{
				Place: PlaceOf(o.Signature), Caught: string(o.Caught), Text: o.Sentence(), Stacks: o.StackTrace(), At: at,
			}, at)
		}
	}
	j.advance(at)
}

func (j *Judge) addOrigin(resource finding.Attributes, o *origin.Origin, at time.Time) {
	place, signature := PlaceOf(o.Signature), ""
	if o.Signature.ID != 0 {
		signature = o.Signature.ID.String()
	}
	group := attributesOf(place, signature)
	add := func(metric string, attributes finding.Attributes, value float64) {
		j.addPoint(finding.Point{Metric: metric, Resource: resource, Attributes: attributes, At: at, Value: value})
	}
	add(telemetry.OriginTraced, withAttribute(group, telemetry.AttrOriginClass, string(o.Class)), o.Traced.Seconds())
	for _, c := range o.Creators {
		attributes := withAttribute(withAttribute(group, telemetry.AttrOriginCaught, string(o.Caught)), telemetry.AttrCreatorType, creatorType(c.Launch))
		attributes = withFrame(attributes, c.Own, telemetry.AttrCreatorOwnFunction, telemetry.AttrCreatorOwnFile, telemetry.AttrCreatorOwnLine)
		if len(c.Stack) > 0 {
			attributes = withFrame(attributes, c.Stack[0], telemetry.AttrCreatorFunction, telemetry.AttrCreatorFile, telemetry.AttrCreatorLine)
		}
		add(telemetry.OriginCreations, attributes, float64(c.Count))
	}
	for _, w := range o.Wakers {
		attributes := withFrame(group, w.Own, telemetry.AttrWakerFunction, telemetry.AttrWakerFile, telemetry.AttrWakerLine)
		add(telemetry.OriginWakeups, withAttribute(attributes, telemetry.AttrWakerCall, w.Call), float64(w.Count))
	}
}

func creatorType(l exectrace.Launch) string {
	switch l {
	case exectrace.ByTimer:
		return "timer"
	case exectrace.ByC:
		return "c"
	}
	return "go"
}

func withFrame(a finding.Attributes, f stack.Frame, function, file, line string) finding.Attributes {
	return withAttribute(withAttribute(withAttribute(a, function, f.Function), file, f.File), line, strconv.Itoa(f.Line))
}

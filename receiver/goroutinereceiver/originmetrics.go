package goroutinereceiver

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// traceOrigins takes a trace for origins if it is time to, in place of the look. It is not
// taken if no census came of it. Its timeout is that of a scrape, after its own length.
func (t *target) traceOrigins(parent context.Context) (c captured, taken bool) {
	plan, due := t.origins.next()
	if !due {
		return captured{}, false
	}
	ctx, cancel := context.WithTimeout(parent, plan.Duration+t.timeout)
	defer cancel()
	c = t.guardedOrigins(ctx, plan)
	t.origins.result.Ending = endingOf(c.err)
	if parent.Err() == nil { // else it is we who broke off
		t.outcome.noteOrigins(c.err)
	}
	if c.err == nil {
		return c, true
	}
	t.countPanics(ctx, c.err)
	t.noteConnection(c.newConnection)
	return captured{}, false
}

func (t *target) guardedOrigins(ctx context.Context, plan *scout.Plan) (c captured) {
	defer t.guard(&c.err)
	return t.origins.take(ctx, plan)
}

// recordOrigins records what is known of the origins of groups that gather, and writes a log
// record where something is new.
func (t *target) recordOrigins(to *recording, r *census.Report, at time.Time) {
	if t.origins == nil {
		return
	}
	for _, o := range t.origins.settle(at) {
		to.records.AppendLogRecord(originRecord(&o, at))
	}
	now := pcommon.NewTimestampFromTime(at)
	to.lifetimes = lifetimes{start: pcommon.NewTimestampFromTime(r.Start), at: now}
	for _, o := range t.origins.process.Told() {
		to.origin(&o, now)
		to.lifetimes.add(o.Signature.Entry, &o.Lifetimes)
	}
}

func (to *recording) origin(o *origin.Origin, now pcommon.Timestamp) {
	subject := subjectSet(o.Signature)
	caught := metadata.MapAttributeGoroutineOriginCaught[string(o.Caught)]
	class := subject
	if o.Class != mistake.Unknown {
		class = with(subject, metadata.WithGoroutineOriginClassMetricAttribute(string(o.Class)))
	}
	to.builder.RecordGoroutineOriginTracedDataPoint(now, o.Traced.Seconds(), caught, class...)
	for i := range o.Creators {
		c := &o.Creators[i]
		to.builder.RecordGoroutineOriginSampledCreationsDataPoint(now, int64(c.Count), caught, creatorType(c.Launch), with(subject, creatorSet(c)...)...)
	}
	for i := range o.Wakers {
		w := &o.Wakers[i]
		to.builder.RecordGoroutineOriginSampledWakeupsDataPoint(now, int64(w.Count), with(subject, wakerSet(w)...)...)
	}
}

// with returns attributes and more of them, in memory of their own.
func with(attributes []metadata.MetricAttributeOption, more ...metadata.MetricAttributeOption) []metadata.MetricAttributeOption {
	return append(slices.Clip(attributes), more...)
}

// subjectSet returns the attributes of a group, or of an entry.
func subjectSet(s stack.Signature) []metadata.MetricAttributeOption {
	if s.ID == 0 {
		return []metadata.MetricAttributeOption{metadata.WithGoroutineEntryFunctionNameMetricAttribute(s.Entry)}
	}
	return signatureSet(s, false)
}

func creatorType(l exectrace.Launch) metadata.AttributeGoroutineCreatorType {
	switch l {
	case exectrace.ByTimer:
		return metadata.AttributeGoroutineCreatorTypeTimer
	case exectrace.ByC:
		return metadata.AttributeGoroutineCreatorTypeC
	default:
		return metadata.AttributeGoroutineCreatorTypeGo
	}
}

// creatorSet returns the attributes of a creator: the go statement, and the line of the
// service's own code. What is not known is left out.
func creatorSet(c *origin.Creator) []metadata.MetricAttributeOption {
	var all []metadata.MetricAttributeOption
	if len(c.Stack) > 0 {
		all = frameSet(c.Stack[0], metadata.WithGoroutineCreatorFunctionNameMetricAttribute,
			metadata.WithGoroutineCreatorFilePathMetricAttribute, metadata.WithGoroutineCreatorLineNumberMetricAttribute)
	}
	return append(all, frameSet(c.Own, metadata.WithGoroutineCreatorOwnFunctionNameMetricAttribute,
		metadata.WithGoroutineCreatorOwnFilePathMetricAttribute, metadata.WithGoroutineCreatorOwnLineNumberMetricAttribute)...)
}

func wakerSet(w *origin.Waker) []metadata.MetricAttributeOption {
	all := frameSet(w.Own, metadata.WithGoroutineWakerFunctionNameMetricAttribute,
		metadata.WithGoroutineWakerFilePathMetricAttribute, metadata.WithGoroutineWakerLineNumberMetricAttribute)
	if w.Call != "" {
		all = append(all, metadata.WithGoroutineWakerCallFunctionNameMetricAttribute(w.Call))
	}
	return all
}

func frameSet(f stack.Frame, function, file func(string) metadata.MetricAttributeOption, line func(int64) metadata.MetricAttributeOption) []metadata.MetricAttributeOption {
	if f.Function == "" {
		return nil
	}
	all := []metadata.MetricAttributeOption{function(f.Function)}
	if f.File != "" {
		all = append(all, file(f.File))
	}
	if f.Line > 0 {
		all = append(all, line(int64(f.Line)))
	}
	return all
}

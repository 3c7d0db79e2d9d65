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

// traceOrigins takes a trace for origins if one is due. The trace then replaces the capture; on
// failure taken is false. Its timeout is its duration plus the timeout of a scrape.
func (t *target) traceOrigins(parent context.Context) (c captureResult, taken bool) {
	plan, due := t.origins.next()
	if !due {
		return captureResult{}, false
	}
	ctx, cancel := context.WithTimeout(parent, plan.Duration+t.timeout)
	defer cancel()
	c = t.guardedOrigins(ctx, plan)
	t.origins.result.Ending = endingOf(c.err)
	if parent.Err() == nil { // else canceled by Shutdown, not a failure of the target
		t.outcomes.logOriginTrace(c.err)
	}
	if c.err == nil {
		return c, true
	}
	t.countPanics(ctx, c.err)
	t.noteConnection(c.newConnection)
	return captureResult{}, false
}

func (t *target) guardedOrigins(ctx context.Context, plan *scout.Plan) (c captureResult) {
	defer t.recoverPanic(&c.err)
	return t.origins.trace(ctx, plan)
}

// recordOrigins records the known origins of accumulating groups, and adds a log record for each
// that has changed.
func (t *target) recordOrigins(rec *recording, r *census.Report, at time.Time) {
	if t.origins == nil {
		return
	}
	for _, o := range t.origins.finish(at) {
		rec.records.AppendLogRecord(originRecord(&o, at))
	}
	now := pcommon.NewTimestampFromTime(at)
	rec.lifetimes = lifetimes{start: pcommon.NewTimestampFromTime(r.Start), at: now}
	for _, o := range t.origins.process.Origins() {
		rec.recordOrigin(&o, now)
		rec.lifetimes.add(o.Signature.Entry, &o.Lifetimes)
	}
}

func (rec *recording) recordOrigin(o *origin.Origin, now pcommon.Timestamp) {
	subject := subjectAttributes(o.Signature)
	caught := metadata.MapAttributeGoroutineOriginCaught[string(o.Caught)]
	class := subject
	if o.Class != mistake.Unknown {
		class = withAttributes(subject, metadata.WithGoroutineOriginClassMetricAttribute(string(o.Class)))
	}
	rec.builder.RecordGoroutineOriginTracedDataPoint(now, o.Traced.Seconds(), caught, class...)
	for i := range o.Creators {
		c := &o.Creators[i]
		rec.builder.RecordGoroutineOriginSampledCreationsDataPoint(now, int64(c.Count), caught, creatorType(c.Launch), withAttributes(subject, creatorAttributes(c)...)...)
	}
	for i := range o.Wakers {
		w := &o.Wakers[i]
		rec.builder.RecordGoroutineOriginSampledWakeupsDataPoint(now, int64(w.Count), withAttributes(subject, wakerAttributes(w)...)...)
	}
}

// withAttributes returns attributes followed by more, in a new slice.
func withAttributes(attributes []metadata.MetricAttributeOption, more ...metadata.MetricAttributeOption) []metadata.MetricAttributeOption {
	return append(slices.Clip(attributes), more...)
}

// subjectAttributes returns the attributes of a group, or of an entry.
func subjectAttributes(s stack.Signature) []metadata.MetricAttributeOption {
	if s.ID == 0 {
		return []metadata.MetricAttributeOption{metadata.WithGoroutineEntryFunctionNameMetricAttribute(s.Entry)}
	}
	return signatureAttributes(s, false)
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

// creatorAttributes returns the attributes of a creator: the go statement, and the line of the
// service's own code, as far as they are known.
func creatorAttributes(c *origin.Creator) []metadata.MetricAttributeOption {
	var all []metadata.MetricAttributeOption
	if len(c.Stack) > 0 {
		all = frameAttributes(c.Stack[0], metadata.WithGoroutineCreatorFunctionNameMetricAttribute,
			metadata.WithGoroutineCreatorFilePathMetricAttribute, metadata.WithGoroutineCreatorLineNumberMetricAttribute)
	}
	return append(all, frameAttributes(c.Own, metadata.WithGoroutineCreatorOwnFunctionNameMetricAttribute,
		metadata.WithGoroutineCreatorOwnFilePathMetricAttribute, metadata.WithGoroutineCreatorOwnLineNumberMetricAttribute)...)
}

func wakerAttributes(w *origin.Waker) []metadata.MetricAttributeOption {
	all := frameAttributes(w.Own, metadata.WithGoroutineWakerFunctionNameMetricAttribute,
		metadata.WithGoroutineWakerFilePathMetricAttribute, metadata.WithGoroutineWakerLineNumberMetricAttribute)
	if w.Call != "" {
		all = append(all, metadata.WithGoroutineWakerCallFunctionNameMetricAttribute(w.Call))
	}
	return all
}

func frameAttributes(f stack.Frame, function, file func(string) metadata.MetricAttributeOption, line func(int64) metadata.MetricAttributeOption) []metadata.MetricAttributeOption {
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

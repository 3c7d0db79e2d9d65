package instrument

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/guard"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// originTracer takes the traces of WithOrigins. Package scout decides when, and for how long. All
// fields except rows belong to the goroutine of the sampler. A nil originTracer takes no traces.
type originTracer struct {
	process *scout.Process
	maxSize int
	handle  func(context.Context, Origin) // may be nil
	trouble trouble
	// rows are the known origins, for the callback; nil before the first sample.
	rows atomic.Pointer[[]originRow]
}

func newOriginTracer(c config) *originTracer {
	if mode := Capture(c.Capture); !c.Origins || mode != CaptureAuto && mode != CaptureTrace {
		return nil
	}
	o := &originTracer{maxSize: c.OriginsMaxSize, handle: c.handleOrigin}
	o.process = scout.New().Watch(scout.Rules{Interval: c.Interval, Duration: c.OriginsDuration, Budget: c.OriginsBudget})
	return o
}

// next returns the trace to take instead of the next sample, if there is one.
func (o *originTracer) next() (*scout.Plan, bool) {
	if o == nil {
		return nil, false
	}
	return o.process.Next(time.Now())
}

// look adds the census of a sample.
func (o *originTracer) look(r *census.Report, at time.Time) {
	if o == nil {
		return
	}
	// There is only one process, so the service does not matter.
	o.process.Observe("", r, at)
	o.publish()
}

// publish stores the known origins for the callback.
func (o *originTracer) publish() {
	rows := newOriginRows(o.process.Origins())
	o.rows.Store(&rows)
}

// reset discards the state after a panic.
func (o *originTracer) reset() {
	if o != nil {
		o.process.Reset()
		o.publish()
	}
}

// trace takes a trace and processes it. The snapshot is the one at its end. ok is false if there was
// an error, which has been reported.
func (o *originTracer) trace(ctx context.Context, plan *scout.Plan, lifetimes *lifetimeHistogram) (snapshot *stack.Snapshot, ok bool) {
	result := scout.Result{Ending: scout.Failed}
	err := guard.Call(func() (err error) {
		snapshot, err = o.follow(ctx, plan, &result)
		return err
	})
	if ctx.Err() != nil {
		return nil, false // canceled by stop, not a failed trace
	}
	switch {
	case err == nil:
		result.Ending = scout.Read
		o.trouble.report(nil)
	case errors.Is(err, errTracing), errors.Is(err, errBubble):
		result.Ending = scout.Busy
	default:
		o.trouble.report(fmt.Errorf("origins: %w", err))
	}
	now := time.Now()
	news := o.process.AddResult(result, now)
	lifetimes.record(ctx, result.Origins)
	o.publish()
	for i := range news {
		o.callHandler(ctx, &news[i], now)
	}
	return snapshot, err == nil
}

// follow reads a trace while it is recorded, until all requested origins are known. It sets result,
// even if it returns an error.
func (o *originTracer) follow(ctx context.Context, plan *scout.Plan, result *scout.Result) (*stack.Snapshot, error) {
	began := time.Now()
	r, err := startRecording(ctx, plan.Duration, o.maxSize)
	if err != nil {
		return nil, err
	}
	defer func() {
		r.stop()
		result.Size, result.Reading = r.written(), time.Since(began)-r.waited
	}()
	follower, origins, err := origin.Read(r, plan.Subjects)
	result.Origins = origins
	if err != nil {
		return nil, err
	}
	return follower.Snapshot()
}

// callHandler passes a new or changed origin to the handler.
func (o *originTracer) callHandler(ctx context.Context, of *origin.Origin, at time.Time) {
	if o.handle == nil {
		return
	}
	// The handler is the service's own. Its panic must not end the sampling.
	err := guard.Call(func() error {
		o.handle(ctx, newOrigin(of, at))
		return nil
	})
	if err != nil {
		o.trouble.report(fmt.Errorf("origins: handler: %w", err))
	}
}

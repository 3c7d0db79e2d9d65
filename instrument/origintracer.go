package instrument

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// originTracer takes the traces of WithOrigins. internal/scout decides when, and for how long.
// All but told belongs to the goroutine of the sampler. A nil originTracer takes none.
type originTracer struct {
	process *scout.Process
	maxSize int
	handle  func(context.Context, Origin) // nil is none
	trouble trouble
	// told is what is known of the groups that gather, for the callback; nil before the
	// first sample.
	told atomic.Pointer[[]originRow]
}

func newOriginTracer(c config) *originTracer {
	if mode := Capture(c.Capture); !c.Origins || mode != CaptureAuto && mode != CaptureTrace {
		return nil
	}
	o := &originTracer{maxSize: c.OriginsMaxSize, handle: c.handleOrigin}
	o.process = scout.New().Watch(scout.Rules{Interval: c.Interval, Duration: c.OriginsDuration, Budget: c.OriginsBudget})
	return o
}

// next returns the trace that is to be taken in place of the next sample, if there is one.
func (o *originTracer) next() (*scout.Plan, bool) {
	if o == nil {
		return nil, false
	}
	return o.process.Next(time.Now())
}

// look takes in the census of a sample.
func (o *originTracer) look(r *census.Report, at time.Time) {
	if o == nil {
		return
	}
	// All processes that are watched are this one.
	o.process.Look("", r, at)
	o.publish()
}

// publish puts what is known where the callback finds it.
func (o *originTracer) publish() {
	rows := newOriginRows(o.process.Told())
	o.told.Store(&rows)
}

// leave forgets which groups gather, after a panic.
func (o *originTracer) leave() {
	if o != nil {
		o.process.Leave()
		o.publish()
	}
}

// trace takes a trace and takes in what it says. The snapshot is that of its end. It is
// unknown if there was an error, which has been reported.
func (o *originTracer) trace(ctx context.Context, plan *scout.Plan, lifetimes *lifetimeHistogram) (snapshot *stack.Snapshot, ok bool) {
	result := scout.Result{Ending: scout.Failed}
	err := guard(func() (err error) {
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
	news := o.process.Return(result, now)
	lifetimes.record(ctx, result.Origins)
	o.publish()
	for i := range news {
		o.tell(ctx, &news[i], now)
	}
	return snapshot, err == nil
}

// follow reads a trace while it is taken, until everything is known that it is taken for.
// result has what was read, also if there is an error.
func (o *originTracer) follow(ctx context.Context, plan *scout.Plan, result *scout.Result) (*stack.Snapshot, error) {
	began := time.Now()
	r, err := record(ctx, plan.Duration, o.maxSize)
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

// tell passes on what is new.
func (o *originTracer) tell(ctx context.Context, of *origin.Origin, at time.Time) {
	if o.handle == nil {
		return
	}
	// The handler is the service's own. Its panic must not end the sampling.
	err := guard(func() error {
		o.handle(ctx, newOrigin(of, at))
		return nil
	})
	if err != nil {
		o.trouble.report(fmt.Errorf("origins: the handler: %w", err))
	}
}

package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// originTracer takes the traces that show the origins of a target's goroutines. Package scout
// decides when and for how long. originTracer is not safe for concurrent use.
type originTracer struct {
	maxSize int
	fetcher *fetcher
	process *scout.Process
	// result is the result of the latest trace. If pending, it is not yet returned to process.
	result  scout.Result
	pending bool
}

var errTraceTooLarge = errors.New(`the trace is larger than "origins::max_size"`)

// newOriginTracer returns nil if origins are disabled.
func newOriginTracer(deps *targetDeps, f *fetcher) *originTracer {
	cfg := deps.cfg.Origins
	if !cfg.Enabled {
		return nil
	}
	return &originTracer{
		maxSize: cfg.MaxSize,
		fetcher: f,
		process: deps.pool.scout.Watch(scout.Rules{Interval: deps.cfg.CollectionInterval, Duration: cfg.Duration, Budget: cfg.Budget}),
	}
}

// next returns the plan of the trace to take instead of the next capture, if one is due.
func (o *originTracer) next() (*scout.Plan, bool) {
	if o == nil {
		return nil, false
	}
	plan, due := o.process.Next(time.Now())
	if due {
		o.result, o.pending = scout.Result{Ending: scout.Failed}, true
	}
	return plan, due
}

// finish returns the result of the trace to the scout, if one was taken. It returns the origins
// that have changed.
func (o *originTracer) finish(at time.Time) []origin.Origin {
	if o == nil || !o.pending {
		return nil
	}
	o.pending = false
	return o.process.AddResult(o.result, at)
}

// trace takes a trace, which also has the snapshot of this scrape.
func (o *originTracer) trace(ctx context.Context, plan *scout.Plan) (c captureResult) {
	c.source = stack.SourceTrace
	seconds := strconv.FormatFloat(plan.Duration.Seconds(), 'f', -1, 64)
	response, newConnection, err := o.fetcher.get(ctx, "trace", "seconds="+seconds)
	if c.newConnection = newConnection; err != nil {
		c.err = err
		return c
	}
	defer func() { c.err = errors.Join(c.err, response.Body.Close()) }()
	switch {
	case response.StatusCode != http.StatusOK:
		c.err = newStatusError(response)
	case response.ContentLength > int64(o.maxSize):
		c.err = tooLarge(errTraceTooLarge, o.maxSize)
	default:
		c.snapshot, c.err = o.read(ctx, response.Body, plan)
	}
	return c
}

// endingOf returns how a trace ended. net/http/pprof responds with 500 while another client
// traces.
func endingOf(err error) scout.Ending {
	status, ok := errors.AsType[*statusError](err)
	switch {
	case err == nil:
		return scout.Read
	case ok && status.code == http.StatusInternalServerError:
		return scout.Busy
	}
	return scout.Failed
}

// read reads a trace while it arrives, a second at a time, until all its subjects are known. It
// takes no slot of the pool, which it would hold for seconds: the scout limits how many are read
// at once.
func (o *originTracer) read(ctx context.Context, body io.Reader, plan *scout.Plan) (*stack.Snapshot, error) {
	bounded := &boundedBody{from: body, remaining: o.maxSize}
	yielding := &yieldingReader{ctx: ctx, from: bounded, slots: o.fetcher.pool.decoding}
	if err := yielding.acquire(); err != nil {
		return nil, err
	}
	defer func() {
		yielding.release()
		o.result.Size = o.maxSize - max(bounded.remaining, 0)
		o.result.Reading = yielding.heldFor
	}()
	s, err := o.readTrace(yielding, plan)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, ctx.Err()
	case bounded.tooLarge:
		return nil, tooLarge(errTraceTooLarge, o.maxSize)
	case bounded.err != nil && err != nil:
		return nil, &bodyError{bounded.err}
	}
	return s, err
}

func (o *originTracer) readTrace(body io.Reader, plan *scout.Plan) (*stack.Snapshot, error) {
	follower, origins, err := origin.Read(body, plan.Subjects)
	o.result.Origins = origins
	if err != nil {
		return nil, err
	}
	s, err := follower.Snapshot()
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return s, nil
}

// yieldingReader releases its slot while it waits for bytes.
type yieldingReader struct {
	ctx       context.Context // Read has no parameter for it
	from      io.Reader
	slots     *limiter
	held      bool
	heldSince time.Time
	heldFor   time.Duration // in total
}

func (r *yieldingReader) Read(p []byte) (int, error) {
	r.release()
	n, err := r.from.Read(p)
	if err := r.acquire(); err != nil {
		return 0, err
	}
	return n, err
}

func (r *yieldingReader) acquire() error {
	if err := r.slots.acquire(r.ctx); err != nil {
		return err
	}
	r.held, r.heldSince = true, time.Now()
	return nil
}

func (r *yieldingReader) release() {
	if !r.held {
		return
	}
	r.held, r.heldFor = false, r.heldFor+time.Since(r.heldSince)
	r.slots.release()
}

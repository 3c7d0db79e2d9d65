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

// originTracer takes the traces by which the origins of a target's goroutines are told. When
// and for how long is for internal/scout to say. It is not safe for concurrent use.
type originTracer struct {
	maxSize int
	fetcher *fetcher
	process *scout.Process
	// result is what came of a trace that is not settled yet.
	result  scout.Result
	pending bool
}

var errTraceTooLarge = errors.New(`the trace is larger than "origins::max_size"`)

// newOriginTracer returns nil if origins are not wanted.
func newOriginTracer(k *kit, f *fetcher) *originTracer {
	cfg := k.cfg.Origins
	if !cfg.Enabled {
		return nil
	}
	return &originTracer{
		maxSize: cfg.MaxSize,
		fetcher: f,
		process: k.pool.scout.Watch(scout.Rules{Interval: k.cfg.CollectionInterval, Duration: cfg.Duration, Budget: cfg.Budget}),
	}
}

// next returns the trace that is to be taken in place of the next look, if there is one.
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

// settle hands in what came of the trace, if one was taken, and returns what is new.
func (o *originTracer) settle(at time.Time) []origin.Origin {
	if o == nil || !o.pending {
		return nil
	}
	o.pending = false
	return o.process.Return(o.result, at)
}

// take takes a trace, which is the snapshot of this look too.
func (o *originTracer) take(ctx context.Context, plan *scout.Plan) (c captured) {
	c.source = stack.SourceTrace
	seconds := strconv.FormatFloat(plan.Duration.Seconds(), 'f', -1, 64)
	response, newConnection, err := o.fetcher.ask(ctx, "trace", "seconds="+seconds)
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

// endingOf returns how a trace came out. net/http/pprof answers 500 while somebody else traces.
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

// read reads a trace while it arrives, a second of it at a time, until everything is known
// that it is taken for. It takes no slot of the pool, which it would hold for seconds: how
// many are read at once is for the scout to bound.
func (o *originTracer) read(ctx context.Context, body io.Reader, plan *scout.Plan) (*stack.Snapshot, error) {
	bounded := &boundedBody{from: body, left: o.maxSize}
	courteous := &courteousReader{ctx: ctx, from: bounded, slots: o.fetcher.pool.decoding}
	if err := courteous.acquire(); err != nil {
		return nil, err
	}
	defer func() {
		courteous.release()
		o.result.Size = o.maxSize - max(bounded.left, 0)
		o.result.Reading = courteous.used
	}()
	s, err := o.follow(courteous, plan)
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

func (o *originTracer) follow(body io.Reader, plan *scout.Plan) (*stack.Snapshot, error) {
	follower, origins, err := origin.Read(body, plan.Subjects)
	o.result.Origins = origins
	if err != nil {
		return nil, err
	}
	s, err := follower.Snapshot()
	if err != nil {
		return nil, fmt.Errorf("as a snapshot: %w", err)
	}
	return s, nil
}

// courteousReader gives its slot to others while it waits for bytes.
type courteousReader struct {
	ctx   context.Context // io.Reader has no room for one
	from  io.Reader
	slots *limiter
	held  bool
	since time.Time     // it is held
	used  time.Duration // for how long it was held
}

func (r *courteousReader) Read(p []byte) (int, error) {
	r.release()
	n, err := r.from.Read(p)
	if ended := r.acquire(); ended != nil {
		return 0, ended
	}
	return n, err
}

func (r *courteousReader) acquire() error {
	if err := r.slots.acquire(r.ctx); err != nil {
		return err
	}
	r.held, r.since = true, time.Now()
	return nil
}

func (r *courteousReader) release() {
	if !r.held {
		return
	}
	r.held, r.used = false, r.used+time.Since(r.since)
	r.slots.release()
}

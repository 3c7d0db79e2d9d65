// Package instrument reports the goroutines of a Go service as OpenTelemetry metrics: how
// many there are of each kind, how many of them are old, and whether old ones ever exit.
// The leak_detect processor of the collector determines from that which of them leak.
//
//	stop, err := instrument.Start(instrument.WithRuntimeMetrics())
//
// A sample is taken once a minute. It costs a service of 1,000 goroutines about 2 ms of
// CPU time, and one of 100,000 about 110 ms: where a minute would be too often, the
// interval is stretched (WithOverheadBudget).
//
// # Execution traces
//
// A sample is an execution trace that is stopped as soon as it has started. It lists
// every goroutine with its ID and its stack. Go allows one execution trace at a time. So
// while a sample is taken, for 0.5 ms at 1,000 goroutines and 5 ms at 10,000,
// runtime/trace.Start and the handler of /debug/pprof/trace return an error. While the
// service is traced by somebody else, samples are goroutine profiles, which give counts
// but no ages. A runtime/trace.FlightRecorder does not interfere. A service that cannot
// accept this uses WithCapture(CaptureProfile).
//
// WithOrigins also takes traces of seconds, only while goroutines of a group accumulate, to
// find out what starts them.
//
// In a testing/synctest bubble, where starting a trace is a fatal error, samples are
// goroutine profiles too.
//
// # Environment
//
// OTEL_GO_GOROUTINE_DISABLED=true disables everything, whatever the options say.
// The other variables are in the table of the README.
package instrument

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/guard"
	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// ScopeName is the name of the instrumentation scope.
const ScopeName = "github.com/otel-goroutine/otel-goroutine/instrument"

// ErrStarted is returned by Start if it has been called before and has not been stopped. A
// process has one execution trace, and two instances that report to the same MeterProvider
// would double every number.
var ErrStarted = errors.New("instrument: already started")

// hasInstance is true while there is an instance in this process.
var hasInstance atomic.Bool

// stopTime is the longest that stop takes.
const stopTime = 500 * time.Millisecond

// errSlow is returned by stop if something is still in progress.
var errSlow = errors.New("instrument: a sample or a collection of the MeterProvider is still in progress; sampling ends with it")

// Start begins to report the goroutines of this process:
//
//	goroutine.stack.count         {goroutine}  of a group
//	goroutine.stack.aged.count    {goroutine}  aged, by age band
//	goroutine.stack.aged.exits    {goroutine}  exited while aged, by age band
//	goroutine.stack.leaked.count  {goroutine}  proved leaked (WithLeakProfile)
//	goroutine.entry.count         {goroutine}  started with a function
//	goroutine.entry.aged.count    {goroutine}  aged, by age band
//	goroutine.entry.aged.exits    {goroutine}  exited while aged, by age band
//	goroutine.creations           {goroutine}  since Start (Go 1.26)
//	goroutine.state.count         {goroutine}  by scheduler state (Go 1.26)
//	goroutine.process.build       {build}      1, by build ID and version
//	goroutine.sample.interval     s            between two samples
//	goroutine.sample.duration     s            of the latest sample
//	process.cpu.time              s            with WithProcessCPUTime
//
// With WithOrigins, for groups that accumulate goroutines:
//
//	goroutine.origin.sampled.creations  {goroutine}  by creator
//	goroutine.origin.sampled.wakeups    {wakeup}     by last waker
//	goroutine.origin.sampled.lifetime   s            of an entry, a histogram
//	goroutine.origin.traced             s            duration of the traces
//
// WithRuntimeMetrics adds go.goroutine.count, go.memory.used and the other metrics of
// go.opentelemetry.io/contrib/instrumentation/runtime.
//
// A group is the goroutines in the same state, at the same line, that were started with
// the same function. Its attributes are goroutine.stack.signature, goroutine.state,
// code.function.name, code.file.path, code.line.number and
// goroutine.entry.function.name; those of an entry are the last of these and
// goroutine.entry.file.path. A goroutine is aged when it was first seen at least
// WithAgedAfter ago. Age bands carry goroutine.age.min, their lower bound in seconds:
// WithAgedAfter times 1, 8, 32 or 64. Groups above WithMaxSignatures are summed as "other",
// so that sums are exact. pprof labels and argument values are never read.
//
// One goroutine takes the samples, the first at once, and only while the MeterProvider has
// a reader. If the global MeterProvider is used and none
// has been set after ten seconds, otel.Handle receives an error. A reader that collects
// less often than every ten minutes gets a sample when it collects. Ages are absent where
// a goroutine profile was taken instead of a trace. If no sample could be taken, its
// metrics are absent, except the totals of exits. Later errors are passed to otel.Handle,
// each once for as long as it lasts.
//
// The returned error names every invalid option and environment variable. Neither Start nor
// the goroutine that it starts panics.
//
// stop ends the reporting. It returns within 500 ms, or when ctx is done, with an error if
// something is still in progress, which then ends by itself. It is never nil, idempotent, and
// safe for concurrent use. The MeterProvider keeps the totals of counters, as of all counters:
// a later Start adds to them.
func Start(options ...Option) (stop func(ctx context.Context) error, err error) {
	stop = func(context.Context) error { return nil }
	off, err := settings.IsDisabled(os.Environ())
	if err != nil || off {
		return stop, prefixed(err)
	}
	if !hasInstance.CompareAndSwap(false, true) {
		return stop, ErrStarted
	}
	i := &instance{done: make(chan struct{})}
	// The Error method of a foreign error may panic.
	if err := guard.Call(func() error { return prefixed(i.start(options)) }); err != nil {
		// An error of unregistering adds nothing to err.
		_ = i.callbacks.unregisterAll()
		hasInstance.Store(false)
		return stop, prefixed(err)
	}
	return i.stop, nil
}

// prefixed returns err with the name of this package as prefix, and the stack if it is a panic.
func prefixed(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "instrument: ") {
		return err
	}
	return fmt.Errorf("instrument: %w", guard.WithStack(err))
}

// instance is the state of Start.
type instance struct {
	callbacks callbackRegistry
	sampler   *sampler
	metrics   *instruments

	stopped atomic.Bool
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // of ending; valid once done is closed
}

func (i *instance) start(options []Option) error {
	c, err := newConfig(os.Environ(), options)
	if err != nil {
		return err
	}
	isUnset := func() bool { return false }
	if c.provider == nil {
		c.provider = otel.GetMeterProvider()
		isUnset = isProviderUnset
	}
	i.callbacks.MeterProvider = c.provider
	if c.RuntimeMetrics {
		if err := runtime.Start(runtime.WithMeterProvider(&i.callbacks)); err != nil {
			return err
		}
	}
	meter := i.callbacks.Meter(ScopeName, metric.WithInstrumentationVersion(Version()))
	made, observed, err := newInstruments(meter, &c)
	if err != nil {
		return err
	}
	i.metrics, i.sampler = made, newSampler(c, made)
	i.sampler.isUnset = isUnset
	if _, err := meter.RegisterCallback(i.observe, observed...); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	go i.run(ctx)
	return nil
}

// run samples until ctx is done, and then ends everything.
func (i *instance) run(ctx context.Context) {
	// An error handler may end the goroutine that calls it (runtime.Goexit).
	defer func() {
		i.err = i.callbacks.unregisterAll()
		hasInstance.Store(false)
		close(i.done)
	}()
	i.sampler.run(ctx)
}

// observe is the callback.
func (i *instance) observe(ctx context.Context, o metric.Observer) error {
	if i.stopped.Load() {
		return nil
	}
	return prefixed(guard.Call(func() error {
		i.sampler.await(ctx)
		i.metrics.scheduler.count(ctx)
		i.metrics.cpu.count(ctx)
		observeSchedulerStates(o, i.metrics.stateCount)
		i.metrics.observeBuild(o)
		i.metrics.observeSampler(ctx, o, i.sampler)
		return nil
	}))
}

func (i *instance) stop(ctx context.Context) error {
	return guard.Call(func() error {
		i.stopped.Store(true)
		i.cancel()
		ctx, cancel := context.WithTimeout(ctx, stopTime)
		defer cancel()
		select {
		case <-i.done:
		case <-ctx.Done():
		}
		return i.ended()
	})
}

// ended returns the error of ending, or errSlow if it has not ended yet.
func (i *instance) ended() error {
	select {
	case <-i.done:
		return prefixed(i.err)
	default:
		return errSlow
	}
}

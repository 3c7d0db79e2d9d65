// Package instrument has a Go service tell which of its goroutines leak: it takes a
// census of them once a minute, and reports it as OpenTelemetry metrics. The
// leak_detect processor of the collector judges what it says.
//
//	stop, err := instrument.Start()
//
// It costs a service of 1,000 goroutines about 2 ms of CPU time a minute, and one
// of 100,000 about 100 ms in 100 s: where a minute would be too often, the
// interval stretches (WithOverheadBudget).
//
// # Execution traces
//
// A sample is an execution trace that is ended as soon as it has begun. It lists
// every goroutine with its ID and its stack. Go allows one execution trace at a
// time, so while a sample is taken, which is less than a millisecond in most
// services, runtime/trace.Start and the handler of /debug/pprof/trace return an
// error; and while the service is traced by somebody else, samples are goroutine
// profiles instead, which tell counts but no ages. A runtime/trace.FlightRecorder
// is no hindrance, and is not hindered. A service that cannot have that chooses
// WithCapture(CaptureProfile).
//
// # Environment
//
// OTEL_GO_GOROUTINE_DISABLED=true switches everything off, whatever the code says.
// What else the environment can choose is in the table of the README.
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
)

// ScopeName is the name of the instrumentation scope.
const ScopeName = "github.com/otel-goroutine/otel-goroutine/instrument"

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

// ErrStarted is the error of Start when it has been called before and has not been
// stopped since. There is one execution trace to be had in a process, and two that
// report to one MeterProvider would report everything doubled.
var ErrStarted = errors.New("instrument: already started")

// started tells that there is an instance in this process.
var started atomic.Bool

// stopTime is the longest that stop takes.
const stopTime = 500 * time.Millisecond

// errSlow is the error of stop when something is still under way.
var errSlow = errors.New("instrument: a sample or a collection of the MeterProvider is still under way; sampling ends with it")

// Start begins to report the goroutines of this process, and what else tells of
// leaks:
//
//	go.goroutine.count, go.memory.*, ...            by contrib's runtime, unless WithRuntimeMetrics(false)
//	goroutine.creations             {goroutine}     Goroutines created since Start.
//	goroutine.state.count           {goroutine}     Goroutines by goroutine.scheduler.state (runnable, running, waiting, not_in_go).
//	process.cpu.time                s               CPU time that the process has used since Start, by cpu.mode (user, system).
//	goroutine.stack.count           {goroutine}     Goroutines of a group: same state, same line, same entry function.
//	goroutine.stack.aged.count      {goroutine}     Those of them that were first seen at least WithAgedAfter ago, by age band.
//	goroutine.stack.aged.exits      {goroutine}     Aged goroutines, last seen in the group, that are gone, by the age band that they had reached.
//	goroutine.stack.leaked.count    {goroutine}     Those that two of the runtime's leak profiles running have proved to be leaked, with WithLeakProfile.
//	goroutine.entry.count           {goroutine}     Goroutines started with a function.
//	goroutine.entry.aged.count      {goroutine}     Those of them that are aged, by age band.
//	goroutine.entry.aged.exits      {goroutine}     Aged goroutines started with the function that are gone, by age band.
//	goroutine.sample.interval       s               Time from one sample of the stacks to the next.
//	goroutine.sample.duration       s               How long the latest sample took, by goroutine.sample.source (trace, profile).
//
// Groups carry goroutine.stack.signature, goroutine.state, code.function.name,
// code.file.path, code.line.number and goroutine.entry.function.name; entries the
// last of these. Age bands carry goroutine.age.min, their lower bound in seconds:
// WithAgedAfter times 1, 8, 32 or 64. What is beyond WithMaxSignatures is summed up as
// "other", so that sums are exact. pprof labels and argument values are never read.
//
// Samples are taken by one goroutine, the first at once, and only while the
// MeterProvider has somebody to report to. A reader that collects less often than every
// ten minutes gets a sample taken for it. Ages are absent where a goroutine profile
// took the place of a trace; all of a sample is absent where none could be taken, but
// for the totals of exits. What goes wrong later is told to otel.Handle, once.
//
// An error names every option and environment variable that is wrong. Start never
// panics, nor does anything that it has started.
//
// stop ends the reporting. It returns within 500 ms, or when ctx ends, with an error
// if something was still under way by then, which then ends by itself. It may be
// called any number of times and from anywhere, and is never nil. The totals of
// counters remain with the MeterProvider, as those of all counters do: a Start that
// follows adds to them.
func Start(options ...Option) (stop func(ctx context.Context) error, err error) {
	stop = func(context.Context) error { return nil }
	off, err := isDisabled(os.Getenv)
	if err != nil || off {
		return stop, err
	}
	if !started.CompareAndSwap(false, true) {
		return stop, ErrStarted
	}
	i := &instance{done: make(chan struct{})}
	// An error of somebody else's may panic when it is asked for its text.
	if err := guard(func() error { return named(i.start(options)) }); err != nil {
		// What had been registered by then is worth no second error.
		_ = i.keeper.end()
		started.Store(false)
		return stop, named(err)
	}
	return i.stop, nil
}

// named returns an error that begins with our name.
func named(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "instrument: ") {
		return err
	}
	return fmt.Errorf("instrument: %w", err)
}

// isDisabled tells whether the environment switches everything off.
func isDisabled(getenv func(string) string) (off bool, err error) {
	if text := getenv(disabled); text != "" {
		if err = readBool(&off, strings.TrimSpace(text)); err != nil {
			err = fmt.Errorf("instrument: %s is %q: %w", disabled, text, err)
		}
	}
	return off, err
}

// instance is all that Start starts.
type instance struct {
	keeper  keeper
	sampler *sampler
	metrics *instruments

	stopped atomic.Bool
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // of ending; to be read when done is closed
}

func (i *instance) start(options []Option) error {
	c, err := newConfig(os.Getenv, options)
	if err != nil {
		return err
	}
	if c.provider == nil {
		c.provider = otel.GetMeterProvider()
	}
	i.keeper.MeterProvider = c.provider
	if c.runtimeMetrics {
		if err := runtime.Start(runtime.WithMeterProvider(&i.keeper)); err != nil {
			return err
		}
	}
	meter := i.keeper.Meter(ScopeName, metric.WithInstrumentationVersion(Version))
	made, observed, err := newInstruments(meter)
	if err != nil {
		return err
	}
	i.metrics, i.sampler = made, newSampler(c, made)
	if _, err := meter.RegisterCallback(i.observe, observed...); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	go i.run(ctx)
	return nil
}

// run samples until ctx ends, and ends everything then.
func (i *instance) run(ctx context.Context) {
	// An error handler may end the goroutine that it is called by.
	defer func() {
		i.err = i.keeper.end()
		started.Store(false)
		close(i.done)
	}()
	i.sampler.run(ctx)
}

// observe is the callback.
func (i *instance) observe(ctx context.Context, o metric.Observer) error {
	if i.stopped.Load() {
		return nil
	}
	return named(guard(func() error {
		i.sampler.await(ctx)
		i.metrics.scheduler.count(ctx)
		i.metrics.cpu.count(ctx)
		observeSchedulerStates(o, i.metrics.stateCount)
		i.metrics.observeSampler(ctx, o, i.sampler)
		return nil
	}))
}

func (i *instance) stop(ctx context.Context) error {
	return guard(func() error {
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

// ended returns how it has ended, or errSlow if it has not.
func (i *instance) ended() error {
	select {
	case <-i.done:
		return named(i.err)
	default:
		return errSlow
	}
}

package instrument

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/guard"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// sampler takes samples and holds the latest one for the callback. Fields above requests
// belong to the goroutine that calls run.
type sampler struct {
	config
	instruments   *instruments
	capture       func() (*stack.Snapshot, error)
	census        *census.Census
	pace          pace
	leaks         leakProfile
	origins       *originTracer // nil without WithOrigins
	lastCollected time.Time     // approximate time of the latest callback
	idleWait      time.Duration
	isUnset       func() bool // whether the service has set no MeterProvider

	// The errors of the latest sample and leak profile, and of a missing MeterProvider.
	sampleTrouble, leakTrouble, providerTrouble trouble

	// requests come from callbacks that found no sample. The channel sent is closed once
	// there is one, or it could not be taken.
	requests chan chan struct{}
	ended    chan struct{} // closed when run returns

	latest atomic.Pointer[sample]     // nil if the latest could not be taken
	leaked atomic.Pointer[leakSample] // nil if there is no leak profile
	every  atomic.Int64               // time between two samples, ns
	called atomic.Bool                // the callback has been called since the last tick

	// When the latest attempts to take a sample, and a leak profile, ended; nil before
	// the first.
	sampled, proved atomic.Pointer[time.Time]
}

func newSampler(c config, i *instruments) *sampler {
	s := &sampler{
		config:      c,
		instruments: i,
		capture:     newCapturer(Capture(c.Capture)).capture,
		pace:        pace{interval: c.Interval, budget: c.OverheadBudget},
		leaks:       newLeakProfile(c),
		origins:     newOriginTracer(c),
		idleWait:    firstIdle,
		isUnset:     func() bool { return false },
		requests:    make(chan chan struct{}),
		ended:       make(chan struct{}),
	}
	s.every.Store(int64(c.Interval))
	s.beginCensus()
	return s
}

// beginCensus starts a new census.
func (s *sampler) beginCensus() {
	s.census = census.NewOwn(s.AgedAfter, s.MaxSignatures)
}

// run samples until ctx is done: at once, then at the pace, and when a callback requests it.
func (s *sampler) run(ctx context.Context) {
	defer close(s.ended)
	defer s.countOn(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	providerDue := time.NewTimer(providerPatience)
	defer providerDue.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case answered := <-s.requests:
			s.answer(ctx)
			close(answered)
		case <-timer.C:
			timer.Reset(s.tick(ctx))
		case <-providerDue.C:
			s.providerTrouble.report(s.lacksProvider(ctx))
		}
	}
}

// tick takes a sample, and a leak profile if it is due, unless nobody collects. It returns how
// long to wait until the next tick.
func (s *sampler) tick(ctx context.Context) time.Duration {
	s.countOn(ctx)
	wanted := false
	err := guard.Call(func() error {
		wanted = s.wanted(ctx)
		return nil
	})
	if !wanted {
		s.sampleTrouble.report(err)
		return s.idled()
	}
	s.idleWait = firstIdle
	s.sample(ctx, s.traceOrMeasure)
	if ctx.Err() == nil && s.leaks.due() {
		s.prove()
	}
	return s.pace.next()
}

// countOn updates the counters from the runtime's. So does the callback, but that is not called
// if a view drops all of its observables, nor after stop.
func (s *sampler) countOn(ctx context.Context) {
	_ = guard.Call(func() error { // the callback reports the same error
		s.instruments.scheduler.count(ctx)
		s.instruments.cpu.count(ctx)
		return nil
	})
}

// firstIdle is the time after which an idle sampler first checks again whether anybody
// collects. It doubles up to the interval: a MeterProvider that is set soon after Start gets its
// first sample soon, and if none is ever set the cost is negligible.
const firstIdle = 50 * time.Millisecond

func (s *sampler) idled() time.Duration {
	wait := min(s.idleWait, s.pace.next())
	s.idleWait = min(2*s.idleWait, s.pace.every())
	return wait
}

// answer takes the sample, or the leak profile, that a callback found missing, unless it has
// been taken in the meantime.
func (s *sampler) answer(ctx context.Context) {
	if s.lacksSample() {
		s.sample(ctx, s.measure)
	}
	if ctx.Err() == nil && s.lacksProof() && s.leaks.due() {
		s.prove()
	}
}

// sample takes a sample with measure and reports its error.
func (s *sampler) sample(ctx context.Context, measure func(context.Context) error) {
	if s.isCaptureOff() {
		return
	}
	defer storeNow(&s.sampled)
	err := guard.Call(func() error { return measure(ctx) })
	if errors.As(err, new(*guard.Panic)) {
		// The state after a panic cannot be trusted.
		s.publish(ctx, nil)
		s.beginCensus()
		s.origins.reset()
	}
	s.sampleTrouble.report(err)
}

// storeNow records that an attempt has ended. Until then a callback waits for it.
func storeNow(at *atomic.Pointer[time.Time]) {
	now := time.Now()
	at.Store(&now)
}

// isDue reports whether the last attempt ended at least d ago, or there was none.
func isDue(at *atomic.Pointer[time.Time], d time.Duration) bool {
	then := at.Load()
	return then == nil || time.Since(*then) >= d
}

// wanted reports whether anybody collects: the MeterProvider has collected since the last tick,
// or it is enabled and has collected recently. (After its shutdown it may still be enabled.)
func (s *sampler) wanted(ctx context.Context) bool {
	called, enabled := s.called.Swap(false), s.instruments.probe.Enabled(ctx)
	if called || enabled && s.lastCollected.IsZero() {
		s.lastCollected = time.Now()
	}
	patience := max(minPatience, idleIntervals*s.pace.every())
	return called || enabled && time.Since(s.lastCollected) <= patience
}

// How many intervals, and how long at least, sampling goes on without a collection. A reader that
// collects more rarely gets a sample when it collects.
const (
	idleIntervals = 10
	minPatience   = 10 * time.Minute
)

// traceOrMeasure takes a trace for origins if one is due, the end of which is the sample. Otherwise,
// or if the trace fails, it takes a sample. Traces for origins have their own budget.
func (s *sampler) traceOrMeasure(ctx context.Context) error {
	if plan, due := s.origins.next(); due {
		watch := startStopwatch()
		snapshot, ok := s.origins.trace(ctx, plan, s.instruments.origins.lifetimes)
		if ctx.Err() != nil {
			return nil
		}
		if ok {
			s.observe(ctx, snapshot, watch)
			return nil
		}
	}
	return s.measure(ctx)
}

// measure takes a sample and measures its cost.
func (s *sampler) measure(ctx context.Context) error {
	if runtime.NumGoroutine() > s.MaxGoroutines {
		s.publish(ctx, nil)
		return fmt.Errorf("no stacks are taken of more than %d goroutines", s.MaxGoroutines)
	}
	watch := startStopwatch()
	snapshot, err := s.capture()
	if snapshot == nil {
		// Without a snapshot the numbers are unknown.
		s.publish(ctx, nil)
		s.spend(watch.cost())
		return err
	}
	s.observe(ctx, snapshot, watch)
	s.spend(watch.cost())
	return err
}

// observe adds a snapshot to the census and publishes the sample. watch was started before the
// snapshot was taken.
func (s *sampler) observe(ctx context.Context, snapshot *stack.Snapshot, watch stopwatch) {
	now := time.Now()
	report := s.census.Observe(snapshot, now)
	latest := newSample(report, now)
	latest.source, latest.took = sourceOption(snapshot.Source), watch.elapsed()
	s.publish(ctx, latest)
	s.origins.look(&report, now)
}

// publish counts the exits of a sample, and stores the sample, or nil, for the callback.
func (s *sampler) publish(ctx context.Context, latest *sample) {
	if latest != nil {
		lowest := census.Bounds(s.AgedAfter)[0]
		s.instruments.groups.exits.add(ctx, latest.groups, lowest)
		s.instruments.entries.exits.add(ctx, latest.entries, lowest)
	}
	s.latest.Store(latest)
}

// spend adds the cost of a sample.
func (s *sampler) spend(cost time.Duration) {
	s.pace.spend(cost)
	s.every.Store(int64(s.pace.every()))
}

// prove takes a leak profile. If that fails, the previous one is used until it is stale, except
// after a panic, when it cannot be trusted.
func (s *sampler) prove() {
	defer storeNow(&s.proved)
	err := guard.Call(func() error {
		leaked, err := s.leaks.collect()
		if err == nil {
			s.leaked.Store(leaked)
		}
		return err
	})
	if errors.As(err, new(*guard.Panic)) {
		s.leaked.Store(nil)
	}
	s.leakTrouble.report(err)
}

// await requests a sample and a leak profile if there is no fresh one, and waits for them. The
// callback calls it, so it waits for at most maxAwait.
func (s *sampler) await(ctx context.Context) {
	s.called.Store(true)
	if !s.lacksSample() && !s.lacksProof() {
		return
	}
	timeout := time.NewTimer(maxAwait)
	defer timeout.Stop()
	answered := make(chan struct{})
	for requests := s.requests; ; requests = nil { // request once, then wait
		select {
		case requests <- answered:
			continue
		case <-answered:
		case <-s.ended:
		case <-ctx.Done():
		case <-timeout.C:
		}
		return
	}
}

// maxAwait is the longest that a collection waits for a sample. A sample of a million goroutines
// takes about a second.
const maxAwait = time.Second

// lacksSample reports whether there is no fresh sample and the next attempt is due.
func (s *sampler) lacksSample() bool {
	return !s.isCaptureOff() && isDue(&s.sampled, time.Duration(s.every.Load())) && s.fresh() == nil
}

// lacksProof is like lacksSample for leak profiles.
func (s *sampler) lacksProof() bool {
	return s.LeakProfile > 0 && isDue(&s.proved, s.LeakProfile) && s.freshLeaks() == nil
}

// fresh returns the latest sample, unless it is too old.
func (s *sampler) fresh() *sample {
	latest := s.latest.Load()
	if latest == nil || isStale(latest.at, time.Duration(s.every.Load())) {
		return nil
	}
	return latest
}

// freshLeaks returns the latest leak profile, unless it is too old.
func (s *sampler) freshLeaks() []row {
	leaked := s.leaked.Load()
	if leaked == nil || isStale(leaked.at, s.LeakProfile) {
		return nil
	}
	return leaked.rows
}

// isStale reports whether a sample is out of date, since the next one is long overdue.
func isStale(then time.Time, every time.Duration) bool {
	return time.Since(then) > every+min(staleIntervals*every, maxOverdue)
}

// How long the latest sample is used while the next is overdue: some intervals, or if they are
// long, a time that a service may be busy with something else.
const (
	staleIntervals = 2
	maxOverdue     = 10 * time.Minute
)

package instrument

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// sampler takes samples and keeps the latest one for the callback. Fields above requests
// belong to the goroutine that calls run.
type sampler struct {
	config
	instruments *instruments
	take        func() (*stack.Snapshot, error)
	census      *census.Census
	pace        pace
	leaks       leakProfile
	origins     *originTracer // nil unless asked for
	asked       time.Time     // when the callback was last known to be called, about
	idle        time.Duration
	isUnset     func() bool // whether the service has set no MeterProvider

	// The errors of the latest sample and leak profile, and of a missing MeterProvider.
	sampleTrouble, leakTrouble, providerTrouble trouble

	// requests are sent by callbacks that found no sample. The channel sent is closed
	// when there is one, or when it could not be taken.
	requests chan chan struct{}
	ended    chan struct{} // closed when run returns

	latest atomic.Pointer[sample]     // nil if the latest could not be taken
	leaked atomic.Pointer[leakSample] // nil if there is no leak profile
	every  atomic.Int64               // nanoseconds from one sample to the next
	called atomic.Bool                // the callback has been called since the last tick

	// When the latest attempts at a sample, and at a leak profile, ended; nil before
	// the first.
	sampled, proved atomic.Pointer[time.Time]
}

func newSampler(c config, i *instruments) *sampler {
	s := &sampler{
		config:      c,
		instruments: i,
		take:        newCaptor(Capture(c.Capture)).take,
		pace:        pace{interval: c.Interval, budget: c.OverheadBudget},
		leaks:       newLeakProfile(c),
		origins:     newOriginTracer(c),
		idle:        firstIdle,
		isUnset:     func() bool { return false },
		requests:    make(chan chan struct{}),
		ended:       make(chan struct{}),
	}
	s.every.Store(int64(c.Interval))
	s.beginCensus()
	return s
}

// beginCensus forgets all goroutines seen so far.
func (s *sampler) beginCensus() {
	s.census = census.NewOwn(s.AgedAfter, s.MaxSignatures)
}

// run samples until ctx ends: at once, then as often as it may, and when a callback
// asks for a sample.
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

// tick takes a sample, and a leak profile if it is due, if anybody wants one. It
// returns how long to wait for the next.
func (s *sampler) tick(ctx context.Context) time.Duration {
	s.countOn(ctx)
	wanted := false
	err := guard(func() error {
		wanted = s.wanted(ctx)
		return nil
	})
	if !wanted {
		s.sampleTrouble.report(err)
		return s.idled()
	}
	s.idle = firstIdle
	s.sample(ctx, s.traceOrMeasure)
	if ctx.Err() == nil && s.leaks.due() {
		s.prove()
	}
	return s.pace.next()
}

// countOn adds to the counters what the runtime has counted since the last time. So does
// the callback, but that is not called where a view drops all of its observables, nor after
// stop.
func (s *sampler) countOn(ctx context.Context) {
	_ = guard(func() error { // what the callback would tell of
		s.instruments.scheduler.count(ctx)
		s.instruments.cpu.count(ctx)
		return nil
	})
}

// firstIdle is the time after which an idle sampler first checks again whether samples are
// wanted. It doubles up to the interval: a MeterProvider that is set soon after Start gets
// its first sample soon, and where none is ever set that costs nothing.
const firstIdle = 50 * time.Millisecond

func (s *sampler) idled() time.Duration {
	wait := min(s.idle, s.pace.next())
	s.idle = min(2*s.idle, s.pace.every())
	return wait
}

// answer takes what a callback has found missing, unless it has been taken meanwhile.
func (s *sampler) answer(ctx context.Context) {
	if s.lacksSample() {
		s.sample(ctx, s.measure)
	}
	if ctx.Err() == nil && s.lacksProof() && s.leaks.due() {
		s.prove()
	}
}

// sample takes a sample by measure and reports its error.
func (s *sampler) sample(ctx context.Context, measure func(context.Context) error) {
	if s.isCaptureOff() {
		return
	}
	defer note(&s.sampled)
	err := guard(func() error { return measure(ctx) })
	if isPanic(err) {
		// The state after a panic cannot be trusted.
		s.publish(ctx, nil)
		s.beginCensus()
		s.origins.leave()
	}
	s.sampleTrouble.report(err)
}

// note notes that an attempt has ended. Until then a callback waits for it.
func note(at *atomic.Pointer[time.Time]) {
	now := time.Now()
	at.Store(&now)
}

// ago reports whether an attempt ended at least so long ago, or there was none.
func ago(at *atomic.Pointer[time.Time], d time.Duration) bool {
	then := at.Load()
	return then == nil || time.Since(*then) >= d
}

// wanted reports whether anybody collects: the MeterProvider is enabled and has collected
// lately, which it does no longer once it is shut down; or it has collected since the last
// tick.
func (s *sampler) wanted(ctx context.Context) bool {
	called, enabled := s.called.Swap(false), s.instruments.probe.Enabled(ctx)
	if called || enabled && s.asked.IsZero() {
		s.asked = time.Now()
	}
	patience := max(minPatience, unasked*s.pace.every())
	return called || enabled && time.Since(s.asked) <= patience
}

// For how many intervals, and how long at least, samples are taken that nobody asks
// for. A reader that asks more rarely gets one when it asks.
const (
	unasked     = 10
	minPatience = 10 * time.Minute
)

// traceOrMeasure takes a trace for origins if one is due, whose end is the sample, and a sample
// otherwise, or if the trace fails. Traces for origins have a budget of their own.
func (s *sampler) traceOrMeasure(ctx context.Context) error {
	if plan, due := s.origins.next(); due {
		watch := startWatch()
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
	watch := startWatch()
	snapshot, err := s.take()
	if snapshot == nil {
		// What was not seen is unknown.
		s.publish(ctx, nil)
		s.spend(watch.cost())
		return err
	}
	s.observe(ctx, snapshot, watch)
	s.spend(watch.cost())
	return err
}

// observe takes a snapshot into the census and publishes the sample. The watch was started
// before the snapshot was taken.
func (s *sampler) observe(ctx context.Context, snapshot *stack.Snapshot, watch watch) {
	now := time.Now()
	report := s.census.Observe(snapshot, now)
	latest := newSample(report, now)
	latest.source, latest.took = sourceOption(snapshot.Source), watch.elapsed()
	s.publish(ctx, latest)
	s.origins.look(&report, now)
}

// publish counts the exits of a sample, and puts the sample, or nil, where the callback
// finds it.
func (s *sampler) publish(ctx context.Context, latest *sample) {
	if latest != nil {
		lowest := census.Bounds(s.AgedAfter)[0]
		s.instruments.groups.exits.add(ctx, latest.groups, lowest)
		s.instruments.entries.exits.add(ctx, latest.entries, lowest)
	}
	s.latest.Store(latest)
}

// spend takes in what a sample has cost.
func (s *sampler) spend(cost time.Duration) {
	s.pace.spend(cost)
	s.every.Store(int64(s.pace.every()))
}

// prove takes a leak profile. If that cannot be had, what was proved before holds until
// it is stale, but for a panic, after which it cannot be trusted.
func (s *sampler) prove() {
	defer note(&s.proved)
	err := guard(func() error {
		leaked, err := s.leaks.collect()
		if err == nil {
			s.leaked.Store(leaked)
		}
		return err
	})
	if isPanic(err) {
		s.leaked.Store(nil)
	}
	s.leakTrouble.report(err)
}

// await has a sample taken if there is none that is fresh, and a leak profile likewise,
// and waits for it. It is called by the callback, so it waits no longer than maxAwait.
func (s *sampler) await(ctx context.Context) {
	s.called.Store(true)
	if !s.lacksSample() && !s.lacksProof() {
		return
	}
	timeout := time.NewTimer(maxAwait)
	defer timeout.Stop()
	answered := make(chan struct{})
	for requests := s.requests; ; requests = nil { // asked once, then waited for
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

// maxAwait is the longest that a collection waits for a sample: one of a million
// goroutines takes about a second.
const maxAwait = time.Second

// lacksSample reports whether there is no fresh sample, and it is time to try to get one.
func (s *sampler) lacksSample() bool {
	return !s.isCaptureOff() && ago(&s.sampled, time.Duration(s.every.Load())) && s.fresh() == nil
}

// lacksProof reports the same of leak profiles.
func (s *sampler) lacksProof() bool {
	return s.LeakProfile > 0 && ago(&s.proved, s.LeakProfile) && s.freshLeaks() == nil
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

// isStale reports whether what was taken then is out of date, since its successor is long
// overdue.
func isStale(then time.Time, every time.Duration) bool {
	return time.Since(then) > every+min(overdue*every, maxOverdue)
}

// How long what was seen last stands in for what is overdue: some intervals, or where
// they are long, a time that a service may be busy with something else.
const (
	overdue    = 2
	maxOverdue = 10 * time.Minute
)

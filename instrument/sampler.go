package instrument

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// sampler takes one sample after another, and keeps the latest for the callback to
// read. The fields up to requests belong to the goroutine that calls run.
type sampler struct {
	config
	instruments *instruments
	take        func() (*stack.Snapshot, error)
	census      *census.Census
	pace        pace
	leaks       leakProfile
	asked       time.Time // when the callback was last known to be called, about
	idle        time.Duration

	// What went wrong with the latest sample, and the latest leak profile.
	sampleTrouble, leakTrouble trouble

	// requests are those of callbacks that found no sample. What is sent is closed
	// when there is one, or none can be had.
	requests chan chan struct{}
	ended    chan struct{} // closed when run returns

	// mu guards latest and the exit counters, so that a callback finds both to be of
	// one sample.
	mu     sync.Mutex
	latest *sample // nil if the latest could not be taken

	leaked atomic.Pointer[leakSample] // nil if there is no leak profile
	every  atomic.Int64               // nanoseconds from one sample to the next
	tried  atomic.Pointer[time.Time]  // when the latest attempt at a sample ended, nil before the first
	called atomic.Bool                // the callback has been called since the last tick
}

func newSampler(c config, i *instruments) *sampler {
	s := &sampler{
		config:      c,
		instruments: i,
		take:        newCaptor(c.capture).take,
		pace:        pace{interval: c.interval, budget: c.budget},
		leaks:       newLeakProfile(c),
		idle:        firstIdle,
		requests:    make(chan chan struct{}),
		ended:       make(chan struct{}),
	}
	s.every.Store(int64(c.interval))
	s.begin()
	return s
}

// begin begins the census.
func (s *sampler) begin() {
	s.census = census.OfThisProcess(s.agedAfter, s.maxSignatures)
}

// run samples until ctx ends: at once, then as often as it may, and when a callback
// asks for a sample.
func (s *sampler) run(ctx context.Context) {
	defer close(s.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case answered := <-s.requests:
			s.answer(ctx)
			close(answered)
		case <-timer.C:
			timer.Reset(s.tick(ctx))
		}
	}
}

// tick takes a sample, and a leak profile if it is due, if anybody wants one. It
// returns how long to wait for the next.
func (s *sampler) tick(ctx context.Context) time.Duration {
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
	s.sample(ctx)
	if ctx.Err() == nil && s.leaks.due() {
		s.prove()
	}
	return s.pace.next()
}

// firstIdle is the time after which a sampler that nobody wants anything of asks
// again whether somebody does. From then on it is twice as long each time, up to the
// interval: a MeterProvider that is set soon after Start gets its first sample soon,
// and where none is ever set that costs nothing.
const firstIdle = 50 * time.Millisecond

func (s *sampler) idled() time.Duration {
	wait := min(s.idle, s.pace.next())
	s.idle = min(2*s.idle, s.pace.every())
	return wait
}

// answer takes what a callback has found to be missing. It may have come meanwhile.
func (s *sampler) answer(ctx context.Context) {
	if s.lacking() {
		s.sample(ctx)
	}
	if ctx.Err() == nil && s.leaks.due() && s.freshLeaks() == nil {
		s.prove()
	}
}

// sample takes a sample, and tells what goes wrong with it.
func (s *sampler) sample(ctx context.Context) {
	if s.capture == CaptureOff {
		return
	}
	// Set when it is over: until then a callback waits for it.
	defer func() {
		now := time.Now()
		s.tried.Store(&now)
	}()
	err := guard(func() error { return s.measure(ctx) })
	if isPanic(err) {
		// Neither can be trusted any more.
		s.publish(ctx, nil)
		s.begin()
	}
	s.sampleTrouble.report(err)
}

// wanted tells whether there is anybody to report to: the MeterProvider says so, and
// has not stopped asking, as it does when it has been shut down; or it has asked
// since the last tick, whatever it says.
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

// measure takes a sample, and its measure. An error tells what is wrong with it, or
// why there is none.
func (s *sampler) measure(ctx context.Context) error {
	if runtime.NumGoroutine() > s.maxGoroutines {
		s.publish(ctx, nil)
		return fmt.Errorf("no stacks are taken of more than %d goroutines", s.maxGoroutines)
	}
	watch := startWatch()
	snapshot, err := s.take()
	if snapshot == nil {
		// What was not seen is unknown.
		s.publish(ctx, nil)
		s.spend(watch.cost())
		return err
	}
	now := time.Now()
	latest := newSample(s.census.Observe(snapshot, now), now)
	latest.source, latest.took = sourceOption(snapshot.Source), watch.elapsed()
	s.publish(ctx, latest)
	s.spend(watch.cost())
	return err
}

// publish puts a sample, or nil, where the callback finds it, and counts its exits.
func (s *sampler) publish(ctx context.Context, latest *sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = latest
	if latest != nil {
		s.instruments.groups.exits.add(ctx, latest.groups)
		s.instruments.entries.exits.add(ctx, latest.entries)
	}
}

// spend takes in what a sample has cost.
func (s *sampler) spend(cost time.Duration) {
	s.pace.spend(cost)
	s.every.Store(int64(s.pace.every()))
}

// prove takes a leak profile.
func (s *sampler) prove() {
	s.leakTrouble.report(guard(func() error {
		s.leaked.Store(nil) // in case of a panic
		leaked, err := s.leaks.collect()
		s.leaked.Store(leaked)
		return err
	}))
}

// await has a sample taken if there is none that is fresh, and waits for it. It is
// called by the callback, so it waits no longer than maxAwait.
func (s *sampler) await(ctx context.Context) {
	s.called.Store(true)
	if !s.lacking() {
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

// lacking reports whether there is no fresh sample, and it is time to try to get one.
func (s *sampler) lacking() bool {
	if s.capture == CaptureOff {
		return false
	}
	tried := s.tried.Load()
	if tried != nil && time.Since(*tried) < time.Duration(s.every.Load()) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.isFresh()
}

// read calls f with the latest sample, unless there is none or it is too old.
func (s *sampler) read(f func(latest *sample)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isFresh() {
		f(s.latest)
	}
}

// isFresh reports whether there is a sample that is not too old. mu is held.
func (s *sampler) isFresh() bool {
	return s.latest != nil && !isStale(s.latest.at, time.Duration(s.every.Load()))
}

// freshLeaks returns the latest leak profile, unless it is too old.
func (s *sampler) freshLeaks() []row {
	leaked := s.leaked.Load()
	if leaked == nil || isStale(leaked.at, s.leakProfile) {
		return nil
	}
	return leaked.rows
}

// isStale tells whether what was seen then says nothing any more, as something else
// should have been seen long since.
func isStale(then time.Time, every time.Duration) bool {
	return time.Since(then) > every+min(overdue*every, maxOverdue)
}

// How long what was seen last stands in for what is overdue: some intervals, or where
// they are long, a time that a service may be busy with something else.
const (
	overdue    = 2
	maxOverdue = 10 * time.Minute
)

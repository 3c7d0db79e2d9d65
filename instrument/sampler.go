package instrument

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// sampler takes one sample after another, and keeps the latest for the callback
// to read. All but the atomic fields belongs to the goroutine that calls run.
type sampler struct {
	config
	take   func() (*stack.Snapshot, error)
	census *census.Census
	pace   pace
	leaks  leakProfile
	// Exits of groups and of entries.
	groupExits, entryExits exits
	// probe is never used but to be asked whether it is enabled.
	probe metric.Int64Counter
	asked time.Time // when the callback was last known to be called, about

	// What went wrong with the latest sample, and the latest leak profile.
	sampleTrouble, leakTrouble trouble

	latest atomic.Pointer[sample]     // nil if the latest could not be taken
	gone   atomic.Pointer[gone]       // nil before the first sample
	leaked atomic.Pointer[leakSample] // nil if there is no leak profile
	every  atomic.Int64               // nanoseconds from one sample to the next
	read   atomic.Bool                // the callback has been called since the last tick
}

// gone is who has left, since Start. It does not change any more.
type gone struct{ groups, entries []total }

func newSampler(c config, probe metric.Int64Counter) *sampler {
	s := &sampler{
		config:     c,
		take:       newCaptor(c.capture).take,
		pace:       pace{interval: c.interval, budget: c.budget},
		leaks:      newLeakProfile(c),
		groupExits: newExits(),
		entryExits: newExits(),
		probe:      probe,
	}
	s.every.Store(int64(c.interval))
	s.begin()
	return s
}

// begin begins the census.
func (s *sampler) begin() {
	s.census = census.OfThisProcess(s.agedAfter, s.maxSignatures)
}

// run samples until ctx ends: at once, and then as often as it may.
func (s *sampler) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		s.tick(ctx)
		timer.Reset(s.pace.next())
	}
}

// tick takes a sample, and a leak profile if it is time, if anybody wants one.
func (s *sampler) tick(ctx context.Context) {
	wanted := false
	err := guard(func() error {
		wanted = s.wanted(ctx)
		if !wanted || s.capture == CaptureOff {
			return nil
		}
		return s.measure()
	})
	if isPanic(err) {
		// Neither can be trusted any more.
		s.latest.Store(nil)
		s.begin()
	}
	s.sampleTrouble.report(err)
	if wanted && ctx.Err() == nil && s.leaks.due() {
		s.prove()
	}
}

// wanted tells whether there is anybody to report to: the MeterProvider says so, and
// has not stopped asking, as it does when it has been shut down; or it has asked
// since the last tick, whatever it says.
func (s *sampler) wanted(ctx context.Context) bool {
	read, enabled := s.read.Swap(false), s.probe.Enabled(ctx)
	if read || enabled && s.asked.IsZero() {
		s.asked = time.Now()
	}
	patience := max(minPatience, unasked*s.pace.every())
	return read || enabled && time.Since(s.asked) <= patience
}

// For how many intervals, and how long at least, samples are taken that nobody asks
// for. Who asks as rarely as that gets one after it has asked.
const (
	unasked     = 10
	minPatience = 10 * time.Minute
)

// measure takes a sample, and its measure. An error tells what is wrong with it, or
// why there is none.
func (s *sampler) measure() error {
	if runtime.NumGoroutine() > s.maxGoroutines {
		s.latest.Store(nil)
		return fmt.Errorf("no stacks are taken of more than %d goroutines", s.maxGoroutines)
	}
	watch := startWatch()
	snapshot, err := s.take()
	if snapshot == nil {
		// What was not seen is unknown.
		s.latest.Store(nil)
		s.spend(watch.cost())
		return err
	}
	now := time.Now()
	latest := newSample(s.census.Observe(snapshot, now, false), now)
	latest.source, latest.took = sourceOption(snapshot.Source), watch.elapsed()
	s.groupExits.add(latest.groups)
	s.entryExits.add(latest.entries)
	s.gone.Store(&gone{s.groupExits.all(), s.entryExits.all()})
	s.latest.Store(latest)
	s.spend(watch.cost())
	return err
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

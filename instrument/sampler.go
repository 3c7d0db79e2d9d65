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
// to read. All but latest, leaked, every and read belongs to the goroutine that
// calls run.
type sampler struct {
	config
	take   func() (*stack.Snapshot, error)
	census *census.Census
	pace   pace
	leaks  leakProfile
	// probe is never used but to be asked whether it is enabled.
	probe metric.Int64Counter

	// What went wrong with the latest sample, and the latest leak profile.
	sampleTrouble, leakTrouble trouble

	latest atomic.Pointer[sample] // nil if the latest could not be taken
	leaked atomic.Pointer[[]row]  // nil if there is no leak profile
	every  atomic.Int64           // nanoseconds from one sample to the next
	read   atomic.Bool            // the callback has been called since the last tick
}

func newSampler(c config, probe metric.Int64Counter) *sampler {
	captor := captor{mode: c.capture}
	s := &sampler{
		config: c,
		take:   captor.take,
		pace:   pace{interval: c.interval, budget: c.budget},
		leaks:  leakProfile{every: c.leakProfile, maxSignatures: c.maxSignatures},
		probe:  probe,
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
		if err := guard(func() error { return s.tick(ctx) }); err != nil {
			// Neither can be trusted after a panic.
			s.latest.Store(nil)
			s.begin()
			s.sampleTrouble.report(err)
		}
		timer.Reset(s.pace.next())
	}
}

// tick takes a sample, if anybody wants one.
func (s *sampler) tick(ctx context.Context) error {
	if read := s.read.Swap(false); !read && !s.probe.Enabled(ctx) {
		return nil
	}
	if s.capture != CaptureOff {
		s.sampleTrouble.report(s.measure())
	}
	if ctx.Err() == nil && s.leaks.due() {
		leaked, err := s.leaks.collect()
		s.leaked.Store(leaked)
		s.leakTrouble.report(err)
	}
	return nil
}

// measure takes a sample, and its measure.
func (s *sampler) measure() error {
	if runtime.NumGoroutine() > s.maxGoroutines {
		s.latest.Store(nil)
		return fmt.Errorf("no stacks are taken of more than %d goroutines", s.maxGoroutines)
	}
	watch := startWatch()
	snapshot, err := s.take()
	if err != nil {
		// What was not seen is unknown.
		s.latest.Store(nil)
		s.spend(watch.cost())
		return err
	}
	now := time.Now()
	report := s.census.Observe(snapshot, now, false)
	latest := newSample(report, now)
	latest.source, latest.took = sourceOption(snapshot.Source), watch.elapsed()
	s.latest.Store(latest)
	s.spend(watch.cost())
	return nil
}

// spend takes in what a sample has cost.
func (s *sampler) spend(cost time.Duration) {
	s.pace.spend(cost)
	s.every.Store(int64(s.pace.every()))
}

// stale is how many times over the next sample must be overdue before the latest
// says nothing any more.
const stale = 3

// fresh returns the latest sample, unless it is too old.
func (s *sampler) fresh() *sample {
	latest := s.latest.Load()
	if latest == nil || time.Since(latest.at) > stale*time.Duration(s.every.Load()) {
		return nil
	}
	return latest
}

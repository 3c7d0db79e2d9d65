//go:build go1.25

package instrument

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// sampling is a sampler that runs in a bubble, and a reader of what it samples.
type sampling struct {
	*rig
	sampler *sampler
	end     func()
}

// startSampling starts a sampler that takes its snapshots from take.
func startSampling(t *testing.T, take func() (*stack.Snapshot, error)) *sampling {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	made, observed, err := newInstruments(meter, everything())
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{metrics: made, sampler: newSampler(defaultConfig(), made)}
	i.sampler.capture = take
	if _, err := meter.RegisterCallback(i.observe, observed...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { i.sampler.run(ctx) })
	return &sampling{rig: &rig{reader: reader}, sampler: i.sampler, end: func() {
		cancel()
		running.Wait()
	}}
}

// TestAReaderThatAsksRarelyGetsStacks has readers of all periods. Each collection has
// a sample that is not too old, the first one, too.
func TestAReaderThatAsksRarelyGetsStacks(t *testing.T) {
	for _, period := range []time.Duration{time.Second, time.Minute, 9 * time.Minute, 15 * time.Minute, time.Hour, 26 * time.Hour} {
		t.Run(period.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var taken atomic.Int32
				s := startSampling(t, func() (*stack.Snapshot, error) {
					taken.Add(1)
					return tracedSnapshot(1, 7), nil
				})
				defer s.end()
				for n := range 5 {
					time.Sleep(period)
					before := taken.Load()
					if c := s.collect(t); c.sum(telemetry.StackCount) != 7 {
						t.Errorf("collection %d: %v", n, c[telemetry.StackCount])
					}
					if n := taken.Load() - before; n > 1 {
						t.Errorf("%d samples were taken for one collection", n)
					}
				}
			})
		})
	}
}

// TestTheFirstCollectionHasStacks comes before the first sample is there.
func TestTheFirstCollectionHasStacks(t *testing.T) {
	r := begin(t)
	if c := r.collect(t); len(c[telemetry.StackCount]) == 0 {
		t.Error("it has none")
	}
}

// TestACollectionDoesNotWaitForASampleThatHangs, nor for one that fails again and
// again.
func TestACollectionDoesNotWaitForASampleThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resume := make(chan struct{})
		s := startSampling(t, func() (*stack.Snapshot, error) {
			<-resume
			return tracedSnapshot(1, 7), nil
		})
		defer s.end()
		defer close(resume)
		time.Sleep(time.Hour)
		began := time.Now()
		if c := s.collect(t); len(c[telemetry.StackCount]) != 0 {
			t.Errorf("stacks out of nowhere: %v", c[telemetry.StackCount])
		}
		if took := time.Since(began); took > maxAwait {
			t.Errorf("it took %v", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var taken atomic.Int32
		handle(t)
		s := startSampling(t, func() (*stack.Snapshot, error) {
			taken.Add(1)
			return nil, errors.New("broken")
		})
		defer s.end()
		synctest.Wait()
		for range 600 { // ten a second
			time.Sleep(100 * time.Millisecond)
			s.collect(t)
		}
		if n := taken.Load(); n > 3 {
			t.Errorf("%d samples were taken in a minute, of which one is due", n)
		}
	})
}

// TestACollectionAfterTheEndDoesNotWait has the sampler ended, by stop or by an error
// handler that exits.
func TestACollectionAfterTheEndDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSampling(t, func() (*stack.Snapshot, error) { return tracedSnapshot(1, 7), nil })
		s.end()
		time.Sleep(time.Hour)
		began := time.Now()
		s.collect(t)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// switched is a counter of a MeterProvider that is set some time after Start.
type switched struct {
	metric.Int64Counter
	on atomic.Bool
}

func (s *switched) Enabled(context.Context) bool { return s.on.Load() }

// TestTheFirstSampleComesSoonAfterTheProvider is set: within the time that it took to
// set it, and within the interval.
func TestTheFirstSampleComesSoonAfterTheProvider(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 200 * time.Millisecond, 5 * time.Second, 20 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var first time.Time
			s := newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) {
				if first.IsZero() {
					first = time.Now()
				}
				return tracedSnapshot(1, 7), nil
			})
			provider := &switched{Int64Counter: s.instruments.probe}
			s.instruments.probe = provider
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { s.run(ctx) })
			time.Sleep(after)
			set := time.Now()
			provider.on.Store(true)
			within := min(max(after, firstIdle), 63*time.Second)
			time.Sleep(within)
			synctest.Wait()
			if first.IsZero() {
				t.Errorf("set after %v: no sample within %v", after, within)
			} else if first.Before(set) {
				t.Errorf("set after %v: a sample was taken for nobody", after)
			}
			cancel()
			running.Wait()
		})
	}
}

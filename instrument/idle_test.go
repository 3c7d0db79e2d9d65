//go:build go1.25

package instrument

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func TestNoSampleWithoutSomebodyToReportTo(t *testing.T) {
	for name, probe := range map[string]metric.Int64Counter{
		"no-op":  noop.Int64Counter{},
		"global": globalCounter(t),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var taken atomic.Int32
				s := newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) {
					taken.Add(1)
					return &stack.Snapshot{Source: stack.SourceProfile}, nil
				})
				s.instruments.probe = probe
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { s.run(ctx) })
				time.Sleep(time.Hour)
				if n := taken.Load(); n != 0 {
					t.Errorf("%d samples were taken", n)
				}
				s.called.Store(true) // the callback was called
				time.Sleep(time.Hour)
				if n := taken.Load(); n != 1 {
					t.Errorf("%d samples were taken, for one reading", n)
				}
				cancel()
				running.Wait()
			})
		})
	}
}

// globalCounter is what the global MeterProvider gives while none has been set.
func globalCounter(t *testing.T) metric.Int64Counter {
	t.Helper()
	g, err := otel.GetMeterProvider().Meter("test").Int64Counter("probe")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A provider that has been shut down still says that it has somebody to report to.
func TestNoSampleAfterTheProviderIsShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		probe, err := provider.Meter("test").Int64Counter("probe")
		if err != nil {
			t.Fatal(err)
		}
		taken := 0
		s := newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) {
			taken++
			return &stack.Snapshot{Source: stack.SourceProfile}, nil
		})
		s.instruments.probe = probe
		sampled := func(minutes int) int {
			before := taken
			for range minutes {
				time.Sleep(time.Minute)
				s.tick(t.Context())
			}
			return taken - before
		}
		s.called.Store(true) // the callback was called
		if n := sampled(5); n != 5 {
			t.Errorf("%d samples in 5 minutes", n)
		}
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := sampled(60); n > idleIntervals {
			t.Errorf("%d samples that nobody asked for", n)
		}
		// Whoever asks has only been away for long.
		s.called.Store(true)
		if n := sampled(5); n != 5 {
			t.Errorf("%d samples in 5 minutes", n)
		}
	})
}

func TestWhatIsOldSaysNothing(t *testing.T) {
	for _, test := range []struct{ every, fresh time.Duration }{
		{time.Second, 3 * time.Second}, {time.Minute, 3 * time.Minute}, {time.Hour, 70 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestSampler(defaultConfig(), nil)
			s.every.Store(int64(test.every))
			s.LeakProfile = test.every
			s.publish(t.Context(), &sample{at: time.Now()})
			s.leaked.Store(&leakSample{at: time.Now(), rows: make([]row, 1)})
			time.Sleep(test.fresh)
			if s.fresh() == nil || s.freshLeaks() == nil {
				t.Errorf("every %v: %v is not old", test.every, test.fresh)
			}
			time.Sleep(time.Nanosecond)
			if s.fresh() != nil || s.freshLeaks() != nil {
				t.Errorf("every %v: more than %v is old", test.every, test.fresh)
			}
		})
	}
}

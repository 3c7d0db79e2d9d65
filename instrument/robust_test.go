//go:build go1.25

package instrument

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func TestStartTwice(t *testing.T) {
	r := begin(t)
	stop, err := Start()
	if !errors.Is(err, ErrStarted) {
		t.Errorf("the second Start: %v", err)
	}
	if err := stop(t.Context()); err != nil {
		t.Errorf("the second stop: %v", err)
	}
	// The first is not stopped by that, nor doubled.
	stuck(t, 30)
	r.until(t, "30 goroutines", func(c collected) bool {
		return c.sum(telemetry.StackCount, telemetry.AttrFunction, here("waitHere")) == 30
	})
}

func TestStartAgainAfterStop(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	stuck(t, 30)
	for range 3 {
		stop, err := Start(WithMeterProvider(provider), WithRuntimeMetrics(), WithProcessCPUTime())
		if err != nil {
			t.Fatal(err)
		}
		r := rig{reader: reader}
		c := r.until(t, "a sample", func(c collected) bool { return len(c[telemetry.StackCount]) > 0 })
		if n := len(c[telemetry.GoroutineCount]); n != 1 {
			t.Errorf("%d goroutine counts", n)
		}
		// The callback of an instance before would double this.
		if n := c.sum(telemetry.StackCount, telemetry.AttrFunction, here("waitHere")); n != 30 {
			t.Errorf("%v goroutines, there are 30", n)
		}
		if err := stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		// What is left is the totals of counters, which a MeterProvider keeps.
		after := r.collect(t)
		for name := range after {
			if !slices.Contains([]string{
				telemetry.GoroutineCreations, telemetry.ProcessCPUTime, telemetry.StackAgedExits, telemetry.EntryAgedExits,
			}, name) {
				t.Errorf("after stop: %s", name)
			}
		}
	}
}

func TestStopAHundredTimesAtOnce(t *testing.T) {
	r := begin(t)
	var stops sync.WaitGroup
	for range 100 {
		stops.Go(func() {
			if err := r.stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	stops.Wait()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.stop(ended); err != nil {
		t.Errorf("with a context that has ended, after all has: %v", err)
	}
}

func TestStopWithoutContext(t *testing.T) {
	stop, err := Start(WithMeterProvider(noop.NewMeterProvider()))
	if err != nil {
		t.Fatal(err)
	}
	var none context.Context
	if err := stop(none); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("got %v", err)
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// During a sample that hangs, stop returns in time, and all ends with the sample.
func TestStopDuringASample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resume := make(chan struct{})
		i := &instance{done: make(chan struct{}), sampler: newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) {
			<-resume
			return nil, errors.New("interrupted")
		})}
		var ctx context.Context
		ctx, i.cancel = context.WithCancel(t.Context())
		go i.run(ctx)
		synctest.Wait()
		began := time.Now()
		if err := i.stop(t.Context()); !errors.Is(err, errSlow) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != stopTime {
			t.Errorf("it took %v", took)
		}
		close(resume)
		synctest.Wait()
		if err := i.stop(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// hung is an exporter that does not return until it is let go.
type hung struct {
	sdkmetric.Exporter
	called, letGo chan struct{}
	once          sync.Once
}

func (h *hung) Export(context.Context, *metricdata.ResourceMetrics) error {
	h.once.Do(func() { close(h.called) })
	<-h.letGo
	return nil
}

func (*hung) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return sdkmetric.DefaultTemporalitySelector(k)
}

func (*hung) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (*hung) ForceFlush(context.Context) error { return nil }
func (*hung) Shutdown(context.Context) error   { return nil }

func TestStopWhileAnExporterHangs(t *testing.T) {
	exporter := &hung{called: make(chan struct{}), letGo: make(chan struct{})}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(
		sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Millisecond))))
	stop, err := Start(WithMeterProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	<-exporter.called
	began := time.Now()
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > stopTime {
		t.Errorf("it took %v", took)
	}
	close(exporter.letGo)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// Somebody else's callback that hangs keeps the provider busy.
func TestStopWhileACollectionHangs(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	called, letGo := make(chan struct{}), make(chan struct{})
	_, err := provider.Meter("other").Int64ObservableGauge("other", metric.WithInt64Callback(
		func(context.Context, metric.Int64Observer) error {
			close(called)
			<-letGo
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	stop, err := Start(WithMeterProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	var collecting sync.WaitGroup
	collecting.Go(func() { _ = reader.Collect(context.Background(), new(metricdata.ResourceMetrics)) })
	<-called
	began := time.Now()
	if err := stop(t.Context()); !errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took < stopTime || took > 2*stopTime {
		t.Errorf("it took %v", took)
	}
	close(letGo)
	collecting.Wait()
	// It ends by itself, and can be started anew.
	for stop(t.Context()) != nil {
		runtime.Gosched()
	}
	again, err := Start(WithMeterProvider(provider))
	if err != nil {
		t.Error(err)
	}
	_ = again(t.Context())
}

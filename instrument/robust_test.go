//go:build go1.25

package instrument

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
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

// panicking is a MeterProvider of which one part panics.
type panicking struct {
	metric.MeterProvider
	part string
}

func (p panicking) Meter(name string, options ...metric.MeterOption) metric.Meter {
	if p.part == "Meter" {
		panic(p.part)
	}
	return panickingMeter{p.MeterProvider.Meter(name, options...), p.part}
}

type panickingMeter struct {
	metric.Meter
	part string
}

func (m panickingMeter) Int64ObservableUpDownCounter(name string, options ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	if m.part == "Int64ObservableUpDownCounter" {
		panic(m.part)
	}
	return m.Meter.Int64ObservableUpDownCounter(name, options...)
}

func (m panickingMeter) RegisterCallback(f metric.Callback, of ...metric.Observable) (metric.Registration, error) {
	if m.part == "RegisterCallback" {
		panic(m.part)
	}
	r, err := m.Meter.RegisterCallback(f, of...)
	if m.part == "Unregister" {
		return panickingRegistration{r}, err
	}
	return r, err
}

func (m panickingMeter) Int64Counter(name string, options ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	c, err := m.Meter.Int64Counter(name, options...)
	return panickingCounter{c, m.part}, err
}

type panickingRegistration struct{ metric.Registration }

func (r panickingRegistration) Unregister() error {
	_ = r.Registration.Unregister()
	panic("Unregister")
}

type panickingCounter struct {
	metric.Int64Counter
	part string
}

func (c panickingCounter) Enabled(ctx context.Context) bool {
	if c.part == "Enabled" {
		panic(c.part)
	}
	return c.Int64Counter.Enabled(ctx)
}

func TestAPanickingProviderIsAnError(t *testing.T) {
	for _, part := range []string{"Meter", "Int64ObservableUpDownCounter", "RegisterCallback"} {
		t.Run(part, func(t *testing.T) {
			reader := sdkmetric.NewManualReader()
			provider := panicking{sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), part}
			stop, err := Start(WithMeterProvider(provider), WithRuntimeMetrics())
			if err == nil || !strings.Contains(err.Error(), "panic, please report it: "+part) {
				t.Errorf("got %v", err)
			}
			if err := stop(t.Context()); err != nil {
				t.Error(err)
			}
			if c := (&rig{reader: reader}).collect(t); len(c) != 0 {
				t.Errorf("something is left: %v", c)
			}
		})
	}
	t.Run("Unregister", func(t *testing.T) {
		stop, err := Start(WithMeterProvider(panicking{noop.NewMeterProvider(), "Unregister"}), WithRuntimeMetrics())
		if err != nil {
			t.Fatal(err)
		}
		if err := stop(t.Context()); err == nil || !strings.Contains(err.Error(), "Unregister") {
			t.Errorf("got %v", err)
		}
	})
}

// A provider that panics again and again is told of once.
func TestAPanicThatLastsIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handle(t)
		s := newTestSampler(defaultConfig(), nil)
		s.instruments.probe = panickingCounter{s.instruments.probe, "Enabled"}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.run(ctx) })
		time.Sleep(time.Hour)
		cancel()
		running.Wait()
		if all := h.all(); len(all) != 1 || !strings.Contains(all[0], "panic, please report it: Enabled") {
			t.Errorf("told: %q", all)
		}
	})
}

// nothing is an error that cannot be asked for its text when it is nil.
type nothing struct{ text string }

func (n *nothing) Error() string { return n.text }

type refusing struct{ metric.MeterProvider }

func (r refusing) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return refusingMeter{r.MeterProvider.Meter(name, options...)}
}

type refusingMeter struct{ metric.Meter }

func (refusingMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	var n *nothing
	return nil, n
}

func TestANilErrorOfTheProviderIsAnError(t *testing.T) {
	stop, err := Start(WithMeterProvider(refusing{noop.NewMeterProvider()}))
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("got %v", err)
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// An error handler that ends its goroutine, as t.Fatal does, ends the sampling, and
// no more than that.
func TestAnErrorHandlerThatExits(t *testing.T) {
	before := otel.GetErrorHandler()
	exited := make(chan struct{})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {
		close(exited)
		runtime.Goexit()
	}))
	defer otel.SetErrorHandler(before)
	r := begin(t, WithMaxGoroutines(1))
	<-exited
	if err := r.stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	again, err := Start(WithMeterProvider(noop.NewMeterProvider()))
	if err != nil {
		t.Errorf("Start: %v", err)
	}
	_ = again(t.Context())
}

func TestAPanickingSampleCostsThatSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := 0
		s := newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) {
			taken++
			if taken == 2 {
				panic("a bug")
			}
			return &stack.Snapshot{Source: stack.SourceProfile, Stackless: taken}, nil
		})
		h := handle(t)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.run(ctx) })
		for _, want := range []int64{1, 0, 3} {
			synctest.Wait()
			var got int64
			if latest := s.fresh(); latest != nil {
				got = latest.groups[0].count
			}
			if got != want {
				t.Errorf("%d goroutines, want %d", got, want)
			}
			time.Sleep(time.Duration(float64(time.Minute) * (1 + jitter/2)))
		}
		cancel()
		running.Wait()
		if all := h.all(); len(all) != 1 || !strings.Contains(all[0], "a bug") {
			t.Errorf("told: %q", all)
		}
	})
}

func TestAPanickingErrorHandlerIsSurvived(*testing.T) {
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { panic("the handler") }))
	defer otel.SetErrorHandler(before)
	var trouble trouble
	trouble.report(errors.New("something"))
}

func TestTroubleIsToldOnce(t *testing.T) {
	h := handle(t)
	var trouble trouble
	for _, err := range []error{errors.New("a"), errors.New("a"), nil, nil, errors.New("a"), errors.New("b"), errors.New("b")} {
		trouble.report(err)
	}
	if got := strings.Join(h.all(), ", "); got != "instrument: a, instrument: a, instrument: b" {
		t.Error(got)
	}
}

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
		if n := sampled(60); n > unasked {
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

//go:build go1.25

package instrument

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

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
			if err == nil || !strings.Contains(err.Error(), "panic: "+part) {
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
		if all := h.all(); len(all) != 1 || !strings.Contains(all[0], "panic: Enabled") {
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

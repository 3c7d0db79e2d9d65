package semconv

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-goroutine/otel-goroutine/instrument"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// noted is a MeterProvider that notes which instruments are made, and measures nothing.
type noted struct {
	noop.MeterProvider
	made map[string]Metric
}

type notedMeter struct {
	noop.Meter
	*noted
}

func (n *noted) Meter(string, ...metric.MeterOption) metric.Meter { return notedMeter{noted: n} }

func (n *noted) note(name, kind, unit string) {
	n.made[name] = Metric{Name: name, Instrument: kind, Unit: unit}
}

func (m notedMeter) Int64Counter(name string, options ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	config := metric.NewInt64CounterConfig(options...)
	m.note(name, "counter", config.Unit())
	return m.Meter.Int64Counter(name, options...)
}

func (m notedMeter) Float64Counter(name string, options ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	config := metric.NewFloat64CounterConfig(options...)
	m.note(name, "counter", config.Unit())
	return m.Meter.Float64Counter(name, options...)
}

func (m notedMeter) Int64ObservableCounter(name string, options ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	config := metric.NewInt64ObservableCounterConfig(options...)
	m.note(name, "counter", config.Unit())
	return m.Meter.Int64ObservableCounter(name, options...)
}

func (m notedMeter) Float64ObservableCounter(name string, options ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	config := metric.NewFloat64ObservableCounterConfig(options...)
	m.note(name, "counter", config.Unit())
	return m.Meter.Float64ObservableCounter(name, options...)
}

func (m notedMeter) Float64Histogram(name string, options ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	config := metric.NewFloat64HistogramConfig(options...)
	m.note(name, "histogram", config.Unit())
	return m.Meter.Float64Histogram(name, options...)
}

func (m notedMeter) Int64ObservableUpDownCounter(name string, options ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	config := metric.NewInt64ObservableUpDownCounterConfig(options...)
	m.note(name, "updowncounter", config.Unit())
	return m.Meter.Int64ObservableUpDownCounter(name, options...)
}

func (m notedMeter) Float64ObservableGauge(name string, options ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	config := metric.NewFloat64ObservableGaugeConfig(options...)
	m.note(name, "gauge", config.Unit())
	return m.Meter.Float64ObservableGauge(name, options...)
}

func (m notedMeter) Int64ObservableGauge(name string, options ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	config := metric.NewInt64ObservableGaugeConfig(options...)
	m.note(name, "gauge", config.Unit())
	return m.Meter.Int64ObservableGauge(name, options...)
}

// TestInstrumentsAreInTheRegistry holds the instruments that are made and the registry to the
// same metrics. go.goroutine.count is one of contrib's runtime.
func TestInstrumentsAreInTheRegistry(t *testing.T) {
	n := &noted{made: map[string]Metric{}}
	stop, err := instrument.Start(instrument.WithMeterProvider(n), instrument.WithRuntimeMetrics(), instrument.WithProcessCPUTime(), instrument.WithOrigins())
	require.NoError(t, err)
	require.NoError(t, stop(t.Context()))
	r := loaded(t)
	var own []string
	delete(n.made, "goroutine.sample.probe") // which counts nothing, and is not exported
	for name, made := range n.made {
		if strings.HasPrefix(name, "go.") && name != telemetry.GoroutineCount {
			continue // contrib's runtime
		}
		own = append(own, name)
		registered := r.metric(t, name)
		assert.Equal(t, registered.Instrument, made.Instrument, name)
		assert.Equal(t, registered.Unit, made.Unit, name)
	}
	checkSameNames(t, "metric", source{metricsFile + " (emitted_by: instrument)", r.namesOf("instrument")}, source{"instrument", own})
}

// leak starts goroutines of which one in two leaks, until end is called.
func leak() (end func()) {
	closing, never := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-closing:
				return
			case <-ticker.C:
			}
			reply := make(chan struct{})
			all.Go(func() {
				select {
				case <-reply:
				case <-never:
				}
			})
			if n%2 == 0 {
				time.AfterFunc(time.Millisecond, func() { close(reply) })
			}
		}
	})
	return func() {
		close(closing)
		close(never)
		all.Wait()
	}
}

// TestAttributesOfAProcess measures this process, which leaks, and holds what comes out to the
// registry.
func TestAttributesOfAProcess(t *testing.T) {
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	defer leak()()
	events := make(chan instrument.Origin, 100)
	stop, err := instrument.Start(instrument.WithMeterProvider(provider), instrument.WithRuntimeMetrics(), instrument.WithProcessCPUTime(),
		instrument.WithInterval(300*time.Millisecond), instrument.WithAgedAfter(100*time.Millisecond), instrument.WithOverheadBudget(1),
		instrument.WithOrigins(), instrument.WithOriginsDuration(150*time.Millisecond), instrument.WithOriginsBudget(1),
		instrument.WithOriginHandler(func(_ context.Context, o instrument.Origin) { events <- o }))
	require.NoError(t, err)
	defer func() {
		assert.NoError(t, stop(t.Context()))
		assert.NoError(t, provider.Shutdown(t.Context()))
	}()
	r := loaded(t)
	missing := slices.DeleteFunc(r.namesOf("instrument"), func(name string) bool {
		return name == telemetry.StackLeakedCount // which needs WithLeakProfile
	})
	values := map[string]map[string]bool{telemetry.AttrSchedulerState: {}, telemetry.AttrCPUMode: {}}
	for deadline := time.Now().Add(20 * time.Second); len(missing) > 0 && time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		var collected metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &collected))
		for _, scope := range collected.ScopeMetrics {
			for _, m := range scope.Metrics {
				if strings.HasPrefix(m.Name, "go.") && m.Name != telemetry.GoroutineCount {
					continue
				}
				missing = slices.DeleteFunc(missing, func(name string) bool { return name == m.Name })
				for _, set := range setsOf(t, m.Data) {
					checkSet(t, r.metric(t, m.Name), set, values)
				}
			}
		}
	}
	for _, name := range missing {
		assert.Fail(t, "a metric is never emitted", "%s: the registry says that instrument emits it", name)
	}
	event := r.event(t, telemetry.EventOrigin)
	checkSet(t, Metric{Name: event.Name, Attributes: event.Attributes}, attribute.NewSet((<-events).Attributes...), values)
	checkSameNames(t, "value of "+telemetry.AttrSchedulerState, source{attributesFile, r.attribute(t, telemetry.AttrSchedulerState).values()},
		source{"instrument", keys(values[telemetry.AttrSchedulerState])})
	checkSameNames(t, "value of "+telemetry.AttrCPUMode, source{metricsFile, r.metric(t, telemetry.ProcessCPUTime).Attributes[0].values()},
		source{"instrument", keys(values[telemetry.AttrCPUMode])})
}

// setsOf returns the attributes of each point.
func setsOf(t *testing.T, data metricdata.Aggregation) []attribute.Set {
	t.Helper()
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return setsOfPoints(d.DataPoints)
	case metricdata.Sum[float64]:
		return setsOfPoints(d.DataPoints)
	case metricdata.Gauge[int64]:
		return setsOfPoints(d.DataPoints)
	case metricdata.Gauge[float64]:
		return setsOfPoints(d.DataPoints)
	case metricdata.Histogram[float64]:
		var sets []attribute.Set
		for _, p := range d.DataPoints {
			sets = append(sets, p.Attributes)
		}
		return sets
	default:
		require.Fail(t, "unknown kind of data")
		return nil
	}
}

func setsOfPoints[N int64 | float64](points []metricdata.DataPoint[N]) []attribute.Set {
	var sets []attribute.Set
	for _, p := range points {
		sets = append(sets, p.Attributes)
	}
	return sets
}

// checkSet holds the attributes of a point to those of its metric, and notes values.
func checkSet(t *testing.T, m Metric, set attribute.Set, values map[string]map[string]bool) {
	t.Helper()
	present := map[string]string{}
	for _, pair := range set.ToSlice() {
		present[string(pair.Key)] = pair.Value.String()
		if of := values[string(pair.Key)]; of != nil {
			of[pair.Value.String()] = true
		}
	}
	checkPoint(t, m, present)
}

// checkPoint holds the attributes of a point to those of its metric.
func checkPoint(t *testing.T, m Metric, present map[string]string) {
	t.Helper()
	for _, a := range m.Attributes {
		value, ok := present[a.Key]
		assert.True(t, ok || a.Level != "required", "%s without %s", m.Name, a.Key)
		if ok && len(a.Members) > 0 {
			assert.Contains(t, a.values(), value, "%s of %s", a.Key, m.Name)
		}
		delete(present, a.Key)
	}
	assert.Empty(t, present, "more attributes of %s", m.Name)
}

package instrument

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// rig is a started instrumentation, and who reads it.
type rig struct {
	reader *sdkmetric.ManualReader
	stop   func(context.Context) error
}

// begin starts the instrumentation with a MeterProvider of its own. It samples as
// often as it can and reports everything, unless the options say otherwise.
func begin(t *testing.T, options ...Option) *rig {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	fast := []Option{
		WithMeterProvider(provider), WithInterval(5 * time.Millisecond),
		WithAgedAfter(50 * time.Millisecond), WithOverheadBudget(1), WithRuntimeMetrics(), WithProcessCPUTime(),
	}
	stop, err := Start(append(fast, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &rig{reader: reader, stop: stop}
}

// everything returns the default configuration with every metric of our own.
func everything() *config {
	c := defaultConfig()
	WithProcessCPUTime().apply(&c)
	return &c
}

// newTestSampler returns a sampler that takes its snapshots from take.
func newTestSampler(c config, take func() (*stack.Snapshot, error)) *sampler {
	made, _, err := newInstruments(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())).Meter("test"), everything())
	if err != nil {
		panic(err)
	}
	s := newSampler(c, made)
	s.capture = take
	return s
}

// point is a data point. Attributes are as text.
type point struct {
	attributes map[string]string
	value      float64
}

// collected is all points of one collection, by the name of their metric.
type collected map[string][]point

func (r *rig) collect(t *testing.T) collected {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	all := make(collected)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			all[m.Name] = append(all[m.Name], pointsOf(t, m.Data)...)
		}
	}
	return all
}

func pointsOf(t *testing.T, data metricdata.Aggregation) []point {
	t.Helper()
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return points(d.DataPoints)
	case metricdata.Sum[float64]:
		return points(d.DataPoints)
	case metricdata.Gauge[float64]:
		return points(d.DataPoints)
	case metricdata.Gauge[int64]:
		return points(d.DataPoints)
	}
	if d, ok := data.(metricdata.Histogram[float64]); ok {
		return lives(d)
	}
	t.Fatalf("unexpected data: %T", data)
	return nil
}

// lives returns how many values each point of a histogram has.
func lives(of metricdata.Histogram[float64]) []point {
	var counts []metricdata.DataPoint[int64]
	for _, p := range of.DataPoints {
		counts = append(counts, metricdata.DataPoint[int64]{Attributes: p.Attributes, Value: int64(p.Count)})
	}
	return points(counts)
}

func points[N int64 | float64](of []metricdata.DataPoint[N]) []point {
	var all []point
	for _, p := range of {
		attributes := make(map[string]string)
		for _, a := range p.Attributes.ToSlice() {
			attributes[string(a.Key)] = a.Value.Emit()
		}
		all = append(all, point{attributes: attributes, value: float64(p.Value)})
	}
	return all
}

// sum adds up the points of a metric that have the attributes, key, value.
func (c collected) sum(name string, attributes ...string) float64 {
	var sum float64
	for _, p := range c[name] {
		matches := true
		for i := 0; i < len(attributes); i += 2 {
			matches = matches && p.attributes[attributes[i]] == attributes[i+1]
		}
		if matches {
			sum += p.value
		}
	}
	return sum
}

// until collects until what is collected is as wanted, and returns it.
func (r *rig) until(t *testing.T, what string, wanted func(collected) bool) collected {
	t.Helper()
	for c := range r.collections(t) {
		if wanted(c) {
			return c
		}
	}
	t.Fatalf("%s: not within 20 s", what)
	return nil
}

// collections collects again and again for 20 s.
func (r *rig) collections(t *testing.T) func(func(collected) bool) {
	return func(yield func(collected) bool) {
		again := time.NewTicker(5 * time.Millisecond)
		defer again.Stop()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-again.C {
			if !yield(r.collect(t)) {
				return
			}
		}
	}
}

// stuck starts n goroutines that wait in waitHere until end is called.
func stuck(t *testing.T, n int) (end func()) {
	t.Helper()
	done := make(chan struct{})
	var ended sync.WaitGroup
	for range n {
		ended.Add(1)
		go waitHere(done, &ended)
	}
	end = sync.OnceFunc(func() {
		close(done)
		ended.Wait()
	})
	t.Cleanup(end)
	return end
}

func waitHere(done <-chan struct{}, ended *sync.WaitGroup) {
	defer ended.Done()
	<-done
}

// here is the name of a function of this package.
func here(function string) string { return ScopeName + "." + function }

// handled collects what is told to OpenTelemetry's error handler during a test.
type handled struct {
	mu   sync.Mutex
	text []string
}

func handle(t *testing.T) *handled {
	h := new(handled)
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(h.take))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return h
}

func (h *handled) take(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, err.Error())
}

func (h *handled) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.text...)
}

package auto

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

// soon is a patience for tests.
const soon = 20 * time.Millisecond

// backend is an OTLP backend, as far as it takes in metrics and log records.
type backend struct {
	*httptest.Server
	requests atomic.Int64
	received chan *metrics.ResourceMetrics
	records  chan *logs.ResourceLogs
}

// newBackend starts a backend, and points the environment at it.
func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{received: make(chan *metrics.ResourceMetrics, 1000), records: make(chan *logs.ResourceLogs, 1000)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return // Shutdown broke the export off
		}
		if r.Header.Get("Content-Encoding") == "gzip" {
			data = gunzip(t, data)
		}
		if r.URL.Path == "/v1/logs" {
			var request logscollector.ExportLogsServiceRequest
			if err := proto.Unmarshal(data, &request); err != nil {
				t.Error(err)
			}
			for _, of := range request.GetResourceLogs() {
				b.records <- of
			}
			return
		}
		var request collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(data, &request); err != nil || r.URL.Path != "/v1/metrics" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		for _, of := range request.GetResourceMetrics() {
			if len(of.GetScopeMetrics()) > 0 {
				b.received <- of
			}
		}
	}))
	t.Cleanup(b.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", b.URL)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "20") // ms
	t.Setenv("OTEL_SERVICE_NAME", "cart")
	t.Setenv("OTEL_GO_GOROUTINE_INTERVAL", "20ms")
	t.Setenv("OTEL_GO_GOROUTINE_OVERHEAD_BUDGET", "1")
	return b
}

func gunzip(t *testing.T, compressed []byte) []byte {
	t.Helper()
	from, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Error(err)
		return nil
	}
	data, err := io.ReadAll(from)
	if err != nil {
		t.Error(err)
	}
	return data
}

// next returns the next metrics that a metric of this name is among.
func (b *backend) next(t *testing.T, name string) *metrics.ResourceMetrics {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case of := <-b.received:
			for _, scope := range of.GetScopeMetrics() {
				for _, m := range scope.GetMetrics() {
					if m.GetName() == name {
						return of
					}
				}
			}
		case <-deadline:
			t.Fatalf("no %s within 20 s", name)
		}
	}
}

func attributeOf(of *metrics.ResourceMetrics, key string) string {
	for _, a := range of.GetResource().GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

func start(t *testing.T) *instrumentation {
	t.Helper()
	i := startInstrumentation(soon)
	t.Cleanup(func() {
		if err := i.shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return i
}

func TestTheImportIsEnough(t *testing.T) {
	b := newBackend(t)
	start(t)
	of := b.next(t, "goroutine.stack.count")
	if attributeOf(of, "service.name") != "cart" || attributeOf(of, "service.instance.id") == "" {
		t.Errorf("resource %v", of.GetResource())
	}
	b.next(t, "go.goroutine.count")
	b.next(t, "process.cpu.time")
}

func TestVariablesSwitchOffWhatIsOnByItself(t *testing.T) {
	t.Setenv("OTEL_GO_GOROUTINE_RUNTIME_METRICS", "false")
	t.Setenv("OTEL_GO_GOROUTINE_PROCESS_CPU_TIME", "false")
	b := newBackend(t)
	start(t)
	for _, scope := range b.next(t, "goroutine.stack.count").GetScopeMetrics() {
		for _, m := range scope.GetMetrics() {
			if !strings.HasPrefix(m.GetName(), "goroutine.") {
				t.Errorf("%s is there", m.GetName())
			}
		}
	}
}

// setGlobal sets the global MeterProvider for a test. It cannot be unset: what is
// left behind does nothing.
func setGlobal(t *testing.T) *sdkmetric.ManualReader {
	reader := sdkmetric.NewManualReader()
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	t.Cleanup(func() { otel.SetMeterProvider(noop.NewMeterProvider()) })
	return reader
}

// awaitMetric collects until a metric of this name is there, and returns all names.
func awaitMetric(t *testing.T, reader *sdkmetric.ManualReader, name string) (names []string) {
	t.Helper()
	again := time.NewTicker(soon)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-again.C {
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		names = nil
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				names = append(names, m.Name)
			}
		}
		if slices.Contains(names, name) {
			return names
		}
	}
	t.Fatalf("no %s within 20 s", name)
	return nil
}

func TestTheServicesOwnProviderIsUsed(t *testing.T) {
	said := captureLog(t)
	b := newBackend(t)
	i := start(t)
	b.next(t, "goroutine.stack.count")
	// It comes late: what was made meanwhile gives way.
	reader := setGlobal(t)
	if names := awaitMetric(t, reader, "goroutine.stack.count"); slices.Contains(names, "go.goroutine.count") || slices.Contains(names, "process.cpu.time") {
		t.Errorf("the service may report these itself: %q", names)
	}
	if want := "instrument/auto: reporting to the MeterProvider that the service has set\n"; !strings.HasSuffix(said.String(), want) {
		t.Errorf("said %q", said)
	}
	before := b.requests.Load()
	// Anything that is left would export for the last time.
	if err := i.shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n := b.requests.Load() - before; n != 0 {
		t.Errorf("%d exports besides", n)
	}
}

func TestTheServicesOwnStartIsLeftAlone(t *testing.T) {
	b := newBackend(t)
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	stop, err := instrument.Start(instrument.WithMeterProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	i := &instrumentation{global: newGlobal(), stop: func(context.Context) error { return nil }}
	if final, err := i.checkProvider(t.Context()); !final || err != nil || i.own != nil {
		t.Errorf("final: %v, %v; made: %v", final, err, i.own)
	}
	if err := i.stopAll(); err != nil {
		t.Error(err)
	}
	if n := b.requests.Load(); n != 0 {
		t.Errorf("%d exports besides", n)
	}
	awaitMetric(t, reader, "goroutine.stack.count")
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAPartOfAResourceWillDo(t *testing.T) {
	b := newBackend(t)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=a,oops")
	start(t)
	if of := b.next(t, "goroutine.stack.count"); attributeOf(of, "service.instance.id") == "" {
		t.Errorf("resource %v", of.GetResource())
	}
}

func TestNoExporterNoSample(t *testing.T) {
	t.Setenv("OTEL_METRICS_EXPORTER", "none")
	i := &instrumentation{stop: func(context.Context) error { return nil }}
	if err := i.startOwn(t.Context()); err != nil || i.own != nil {
		t.Errorf("a provider was made: %v, %v", i.own, err)
	}
}

// What was made here ends late: the service's own provider is used at the next look.
func TestASlowEndIsTriedAgain(t *testing.T) {
	reader := setGlobal(t)
	slow := errors.New("slow")
	i := &instrumentation{stop: func(context.Context) error { return slow }}
	i.global = newGlobal()
	if final, err := i.checkProvider(t.Context()); final || !errors.Is(err, slow) {
		t.Errorf("final: %v, %v", final, err)
	}
	i.stop = func(context.Context) error { return nil }
	if final, err := i.checkProvider(t.Context()); !final || err != nil {
		t.Errorf("final: %v, %v", final, err)
	}
	awaitMetric(t, reader, "goroutine.stack.count")
	if err := i.stopAll(); err != nil {
		t.Error(err)
	}
}

func TestSwitchedOff(t *testing.T) {
	for _, variable := range []string{"OTEL_SDK_DISABLED", "OTEL_GO_GOROUTINE_DISABLED"} {
		t.Run(variable, func(t *testing.T) {
			b := newBackend(t)
			t.Setenv(variable, "true")
			i := start(t)
			<-i.ended
			if n := b.requests.Load(); n != 0 {
				t.Errorf("%d exports", n)
			}
		})
	}
}

func TestTheLastIntervalIsExported(t *testing.T) {
	b := newBackend(t)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000") // an hour
	i := &instrumentation{}
	if err := i.startOwn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.stopAll(); err != nil {
		t.Error(err)
	}
	b.next(t, "go.goroutine.count")
}

func TestIsTest(t *testing.T) {
	if !isTest(os.Args) {
		t.Errorf("this one is not noticed: %q", os.Args)
	}
	if isTest([]string{"company.test", "serve", "-test"}) {
		t.Error("a service is taken for a test")
	}
}

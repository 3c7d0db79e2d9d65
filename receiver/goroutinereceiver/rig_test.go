package goroutinereceiver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap/zaptest"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// pprofMux serves net/http/pprof of this process.
func pprofMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func serve(t testing.TB, handler http.Handler) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// respondAlways sends the same response to every request.
func respondAlways(status int, headers map[string]string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for key, value := range headers {
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

// testReceiver is a started receiver. Each scrape blocks until it is received from scrapes.
type testReceiver struct {
	*goroutineReceiver
	scrapes chan pmetric.Metrics
}

func testConfig(targets ...TargetConfig) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.CollectionInterval = 20 * time.Millisecond
	cfg.AgedAfter = 50 * time.Millisecond
	cfg.Targets = targets
	return cfg
}

func targetAt(endpoint string, change ...func(*TargetConfig)) TargetConfig {
	cfg := createDefaultConfig().(*Config)
	t := cfg.target()
	t.ClientConfig.Endpoint = endpoint
	for _, c := range change {
		c(&t)
	}
	return t
}

func startReceiver(t *testing.T, cfg *Config) *testReceiver {
	t.Helper()
	r := &testReceiver{scrapes: make(chan pmetric.Metrics)}
	next, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		select {
		case r.scrapes <- md:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	require.NoError(t, err)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zaptest.NewLogger(t)
	r.goroutineReceiver, err = newReceiver(cfg, newPool(), settings)
	require.NoError(t, err)
	r.goroutineReceiver.next = next
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		require.NoError(t, r.Shutdown(ctx))
		require.NoError(t, r.Shutdown(ctx))
	})
	return r
}

// next returns the next scrape, of any target or of this instance.
func (r *testReceiver) next(t *testing.T, instance ...string) scraped {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case md := <-r.scrapes:
			s := scraped{md}
			if len(instance) == 0 || s.resource("service.instance.id") == instance[0] {
				return s
			}
		case <-deadline:
			require.Fail(t, "no scrape within 20 s")
		}
	}
}

// until returns the first scrape for which matches returns true.
func (r *testReceiver) until(t *testing.T, matches func(scraped) bool) scraped {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if s := r.next(t); matches(s) {
			return s
		}
	}
	require.Fail(t, "no such scrape within 20 s")
	return scraped{}
}

// scraped are the metrics of one scrape.
type scraped struct{ pmetric.Metrics }

func (s scraped) resource(key string) string {
	value, ok := s.ResourceMetrics().At(0).Resource().Attributes().Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

// points returns the points of a metric that have these attributes: key, value, ...
func (s scraped) points(name string, attributes ...string) []pmetric.NumberDataPoint {
	var found []pmetric.NumberDataPoint
	for _, scope := range s.ResourceMetrics().At(0).ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			if m.Name() != name {
				continue
			}
			points := m.Gauge().DataPoints
			if m.Type() == pmetric.MetricTypeSum {
				points = m.Sum().DataPoints
			}
			for _, p := range points().All() {
				if has(p.Attributes(), attributes) {
					found = append(found, p)
				}
			}
		}
	}
	return found
}

func has(attributes pcommon.Map, pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if value, ok := attributes.Get(pairs[i]); !ok || value.AsString() != pairs[i+1] {
			return false
		}
	}
	return true
}

func (s scraped) sum(name string, attributes ...string) int64 {
	var sum int64
	for _, p := range s.points(name, attributes...) {
		sum += p.IntValue()
	}
	return sum
}

func (s scraped) up() bool { return s.sum(telemetry.ScrapeUp) == 1 }

// failures returns how many scrapes have failed, with this error type or in total.
func (s scraped) failures(errorType ...string) int64 {
	if len(errorType) > 0 {
		return s.sum(telemetry.ScrapeFailures, telemetry.AttrErrorType, errorType[0])
	}
	return s.sum(telemetry.ScrapeFailures)
}

// failedScrapePoints is the number of points of a failed scrape: its duration, goroutine.scrape.up,
// and the failures of each type.
var failedScrapePoints = 2 + len(metadata.MapAttributeErrorType)

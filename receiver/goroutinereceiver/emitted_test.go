package goroutinereceiver

import (
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// metricNames returns the names of all metrics in metadata.yaml, and of the histogram that is built
// without it.
func metricNames() []string {
	names := []string{telemetry.OriginLifetime}
	for _, metric := range reflect.ValueOf(metadata.MetricsInfo).Fields() {
		names = append(names, metric.FieldByName("Name").String())
	}
	return names
}

// TestEveryMetricIsEmitted scrapes a leaking process with traces, origins and leak profiles, the
// same process with goroutine profiles only, and an address at which nothing listens. Together the
// scrapes must emit every metric.
func TestEveryMetricIsEmitted(t *testing.T) {
	openShop(t)
	mux := pprofMux()
	mux.Handle("/debug/pprof/goroutineleak", leakProfileHandler(t))
	endpoint := serve(t, mux)
	// A second address of the process, because a target is listed once.
	other := serve(t, http.HandlerFunc(mux.ServeHTTP))
	cfg := originsConfig(targetAt(endpoint), targetAt(other, func(c *TargetConfig) { c.Capture = CaptureProfile }), targetAt(unusedAddress(t)))
	cfg.LeakProfile = LeakProfileConfig{Enabled: true, Interval: 5 * time.Minute, MaxGoroutines: 100_000}
	r := startReceiver(t, cfg)

	missing := metricNames()
	if ownBuild(t) == "" { // a test binary has no build ID here
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == telemetry.ProcessBuild })
	}
	for deadline := time.Now().Add(20 * time.Second); len(missing) > 0 && time.Now().Before(deadline); {
		for _, scope := range r.next(t).ResourceMetrics().At(0).ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				missing = slices.DeleteFunc(missing, func(name string) bool { return name == m.Name() })
			}
		}
	}
	for _, name := range missing {
		assert.Fail(t, "a metric is never emitted", "%s is in metadata.yaml, but no scrape emits it: record it in record.go, or in originmetrics.go if traces contain it", name)
	}
}

package goroutinereceiver

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadatatest"
)

// TestPanicFailsOneScrape provokes a panic wherever a hostile target could, in one of two targets.
func TestPanicFailsOneScrape(t *testing.T) {
	tests := []struct {
		name    string
		capture Capture
		large   bool // the response is checked while it is read
		provoke func(*target) (undo func())
	}{
		{"decoder of traces", CaptureTrace, false, func(t *target) func() { return breakRequests(t, func(r *pprofRequests) { r.trace.decode = nil }) }},
		{"decoder of profiles", CaptureProfile, false, func(t *target) func() { return breakRequests(t, func(r *pprofRequests) { r.profile.decode = nil }) }},
		{"check of traces", CaptureTrace, true, func(t *target) func() {
			return breakRequests(t, func(r *pprofRequests) { r.trace.check = nil })
		}},
		{"check of profiles", CaptureProfile, true, func(t *target) func() {
			return breakRequests(t, func(r *pprofRequests) { r.profile.check = func(io.Reader) error { panic("provoked") } })
		}},
		{"census", CaptureAuto, false, func(t *target) func() {
			return breakRequests(t, func(r *pprofRequests) {
				r.trace.decode = func([]byte) (*stack.Snapshot, error) {
					return &stack.Snapshot{Source: stack.SourceTrace, Goroutines: []stack.Goroutine{{ID: 1, Group: 7}}}, nil
				}
			})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			telemetry := componenttest.NewTelemetry()
			defer func() { assert.NoError(t, telemetry.Shutdown(t.Context())) }()
			var large bool
			mux := pprofMux()
			endpoint := serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				if large {
					_, _ = w.Write(bytes.Repeat([]byte{'x'}, 2*smallBody))
					return
				}
				mux.ServeHTTP(w, request)
			}))
			cfg := testConfig(targetAt(endpoint, func(c *TargetConfig) { c.Capture = test.capture }), targetAt(serve(t, pprofMux())))
			settings := metadatatest.NewSettings(telemetry)
			r, err := newReceiver(cfg, newPool(), settings)
			require.NoError(t, err)
			connectTargets(t, r)
			hit, other := r.targets[0], r.targets[1]

			large = test.large
			undo := test.provoke(hit)
			broken := scrapeOf(t, hit)
			assert.EqualValues(t, 1, broken.failures("internal"))
			assert.Equal(t, failedScrapePoints, broken.DataPointCount(), "only metrics about the scrape")
			assert.True(t, scrapeOf(t, other).up(), "the other target")

			undo()
			large = false
			next := scrapeOf(t, hit)
			assert.True(t, next.up(), "the next scrape")
			assert.EqualValues(t, 1, next.failures("internal"), "the count outlives the panic")
			metadatatest.AssertEqualReceiverGoroutinePanics(t, telemetry, panicPoints(settings.ID, 1), metricdatatest.IgnoreTimestamp())
		})
	}
}

// panicPoints returns the points of a receiver's counter after n panics.
func panicPoints(id component.ID, n int64) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{Value: n, Attributes: attribute.NewSet(attribute.String("receiver", id.String()))}}
}

// breakRequests changes the requests of a target only, until undo is called.
func breakRequests(t *target, change func(*pprofRequests)) (undo func()) {
	original, changed := t.capturer.requests, *t.capturer.requests
	change(&changed)
	t.capturer.requests = &changed
	return func() { t.capturer.requests = original }
}

// TestPanicInLeakProfile checks that a panic fails the leak profile but not the scrape.
func TestPanicInLeakProfile(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	defer func() { assert.NoError(t, telemetry.Shutdown(t.Context())) }()
	mux := pprofMux()
	cfg := testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/debug/pprof/goroutineleak" {
			request.URL.Path = "/debug/pprof/goroutine"
		}
		mux.ServeHTTP(w, request)
	}))))
	cfg.LeakProfile.Enabled = true
	settings := metadatatest.NewSettings(telemetry)
	r, err := newReceiver(cfg, newPool(), settings)
	require.NoError(t, err)
	connectTargets(t, r)
	r.targets[0].leaks.request = &pprofRequest{path: "goroutineleak"}
	s := scrapeOf(t, r.targets[0])
	assert.True(t, s.up())
	assert.Empty(t, s.points(metadata.MetricsInfo.GoroutineStackLeakedCount.Name))
	metadatatest.AssertEqualReceiverGoroutinePanics(t, telemetry, panicPoints(settings.ID, 1), metricdatatest.IgnoreTimestamp())
}

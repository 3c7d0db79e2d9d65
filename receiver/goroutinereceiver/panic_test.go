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

// TestPanicCostsOneScrape provokes a panic in every place where a hostile target
// could, and in the scrape of one target of two.
func TestPanicCostsOneScrape(t *testing.T) {
	tests := []struct {
		name    string
		capture Capture
		large   bool // the answer is checked while it is read
		provoke func(*target) (undo func())
	}{
		{"decoder of traces", CaptureTrace, false, func(t *target) func() { return broken(t, func(w *wants) { w.trace.decode = nil }) }},
		{"decoder of profiles", CaptureProfile, false, func(t *target) func() { return broken(t, func(w *wants) { w.profile.decode = nil }) }},
		{"check of traces", CaptureTrace, true, func(t *target) func() {
			return broken(t, func(w *wants) { w.trace.check = nil })
		}},
		{"check of profiles", CaptureProfile, true, func(t *target) func() {
			return broken(t, func(w *wants) { w.profile.check = func(io.Reader) error { panic("provoked") } })
		}},
		{"census", CaptureAuto, false, func(t *target) func() {
			return broken(t, func(w *wants) {
				w.trace.decode = func([]byte) (*stack.Snapshot, error) {
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
					_, _ = w.Write(bytes.Repeat([]byte{'x'}, 2*small))
					return
				}
				mux.ServeHTTP(w, request)
			}))
			cfg := testConfig(targetAt(endpoint, func(c *TargetConfig) { c.Capture = test.capture }), targetAt(serve(t, pprofMux())))
			settings := metadatatest.NewSettings(telemetry)
			r, err := newReceiver(cfg, newPool(), settings)
			require.NoError(t, err)
			connect(t, r)
			hit, other := r.targets[0], r.targets[1]

			large = test.large
			undo := test.provoke(hit)
			broken := scrapeOf(t, hit)
			assert.EqualValues(t, 1, broken.failures("internal"))
			assert.Equal(t, ofAFailure, broken.DataPointCount(), "nothing but how the scrape went")
			assert.True(t, scrapeOf(t, other).up(), "the other target")

			undo()
			large = false
			next := scrapeOf(t, hit)
			assert.True(t, next.up(), "the next scrape")
			assert.EqualValues(t, 1, next.failures("internal"), "the count outlives the panic")
			metadatatest.AssertEqualReceiverGoroutinePanics(t, telemetry, panics(settings.ID, 1), metricdatatest.IgnoreTimestamp())
		})
	}
}

// panics is the counter of a receiver after n panics.
func panics(of component.ID, n int64) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{Value: n, Attributes: attribute.NewSet(attribute.String("receiver", of.String()))}}
}

// broken changes what is wanted of a target, and of no other one, until it is undone.
func broken(t *target, change func(*wants)) (undo func()) {
	sound, own := t.captor.wants, *t.captor.wants
	change(&own)
	t.captor.wants = &own
	return func() { t.captor.wants = sound }
}

// TestPanicOfALeakProfile costs the leak profile, not the scrape.
func TestPanicOfALeakProfile(t *testing.T) {
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
	connect(t, r)
	r.targets[0].leaks.profiles = &want{path: "goroutineleak"}
	s := scrapeOf(t, r.targets[0])
	assert.True(t, s.up())
	assert.Empty(t, s.points(metadata.MetricsInfo.GoroutineStackLeakedCount.Name))
	metadatatest.AssertEqualReceiverGoroutinePanics(t, telemetry, panics(settings.ID, 1), metricdatatest.IgnoreTimestamp())
}

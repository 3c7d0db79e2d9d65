package goroutinereceiver

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

func profileOf(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup(name).WriteTo(&b, 0))
	return b.Bytes()
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func serveTLS(t *testing.T, handler http.Handler) (endpoint string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// newIdleReceiver returns a receiver that is not started, and its log.
func newIdleReceiver(t *testing.T, cfg *Config) (*goroutineReceiver, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	r, err := newReceiver(cfg, newPool(), settings)
	require.NoError(t, err)
	connectTargets(t, r)
	return r, logs
}

// connectTargets sets the clients of a receiver's targets, without Start.
func connectTargets(t *testing.T, r *goroutineReceiver) {
	t.Helper()
	for i, target := range r.targets {
		require.NoError(t, target.connect(t.Context(), r.configs[i], componenttest.NewNopHost(), r.telemetry))
		t.Cleanup(target.release)
	}
	t.Cleanup(r.deps.clients.closeIdle)
}

// scrapeOf scrapes a target once.
func scrapeOf(t *testing.T, target *target) scraped {
	t.Helper()
	metrics, _, complete := target.scrape(t.Context())
	require.True(t, complete)
	return scraped{metrics}
}

// TestFaults scrapes faulty targets. Each fault must have its error.type and its log message, and
// no other metrics.
func TestFaults(t *testing.T) {
	goroutines := profileOf(t, "goroutine")
	html := []byte("<!DOCTYPE html><html><body>Please log in</body></html>")
	tests := []struct {
		name      string
		handler   http.Handler                          // nil: no server
		serve     func(*testing.T, http.Handler) string // nil: serve
		change    func(*TargetConfig)
		errorType string
		log       []string
	}{
		{name: "no server", errorType: "connection", log: []string{"refused"}},
		{name: "hung", handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), change: func(c *TargetConfig) { c.ClientConfig.Timeout = 50 * time.Millisecond }, errorType: "timeout", log: []string{"deadline"}},
		{name: "login page", handler: respondAlways(200, map[string]string{"Content-Type": "text/html"}, html), errorType: "not_pprof", log: []string{"HTML"}},
		{name: "401", handler: respondAlways(401, nil, nil), errorType: "unauthorized", log: []string{"401 Unauthorized"}},
		{name: "403", handler: respondAlways(403, nil, nil), errorType: "unauthorized", log: []string{"403 Forbidden"}},
		{name: "404", handler: respondAlways(404, nil, []byte("404 page not found\n")), errorType: "http_status", log: []string{"404 Not Found", "net/http/pprof"}},
		{name: "plain HTTP to a TLS port", serve: serveTLS, handler: respondAlways(200, nil, nil), errorType: "http_status", log: []string{"https://"}},
		{name: "429", handler: respondAlways(429, nil, nil), errorType: "http_status", log: []string{"429"}},
		{name: "500", handler: respondAlways(500, nil, []byte("oh\nno")), errorType: "http_status", log: []string{"500 Internal Server Error", "oh"}},
		{name: "redirect", handler: respondAlways(302, map[string]string{"Location": "http://example.com/"}, nil), errorType: "http_status", log: []string{"302", "redirects are not followed"}},
		{name: "empty", handler: respondAlways(200, nil, nil), errorType: "not_pprof", log: []string{"empty"}},
		{name: "text", handler: respondAlways(200, nil, []byte("goroutine profile: total 5\n")), errorType: "not_pprof"},
		{name: "heap profile", handler: respondAlways(200, nil, profileOf(t, "heap")), errorType: "not_pprof", log: []string{"goroutine"}},
		{name: "truncated gzip", handler: respondAlways(200, nil, goroutines[:len(goroutines)/2]), errorType: "malformed"},
		{name: "wrong length", handler: respondAlways(200, map[string]string{"Content-Length": "100000"}, goroutines), errorType: "malformed", log: []string{"failed to read the response"}},
		{name: "wrong encoding", handler: respondAlways(200, map[string]string{"Content-Encoding": "gzip"}, []byte("plain")), errorType: "malformed"},
		{name: "too large", handler: respondAlways(200, nil, bytes.Repeat([]byte("x"), 2<<20)), errorType: "too_large", log: []string{"max_body_size"}},
		{name: "bomb", handler: respondAlways(200, nil, zipped(t, make([]byte, 64<<20))), errorType: "too_large"},
		{name: "trace of Go 1.21", handler: respondAlways(200, nil, []byte("go 1.21 trace\x00\x00\x00")), change: func(c *TargetConfig) { c.Capture = CaptureTrace }, errorType: "unsupported_version", log: []string{"1.21"}},
		{name: "trace of Go 1.99", handler: respondAlways(200, nil, []byte("go 1.99 trace\x00\x00\x00")), change: func(c *TargetConfig) { c.Capture = CaptureTrace }, errorType: "unsupported_version", log: []string{"1.99"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			endpoint := unusedAddress(t)
			switch {
			case test.serve != nil:
				endpoint = test.serve(t, test.handler)
			case test.handler != nil:
				endpoint = serve(t, test.handler)
			}
			bad := targetAt(endpoint, func(c *TargetConfig) {
				if test.change != nil {
					test.change(c)
				}
			})
			healthy := serve(t, pprofMux())
			cfg := testConfig(bad, targetAt(healthy))
			cfg.MaxBodySize = 1 << 20
			r, logs := newIdleReceiver(t, cfg)
			for n := range int64(3) {
				s := scrapeOf(t, r.targets[0])
				assert.False(t, s.up())
				assert.Equal(t, n+1, s.failures(test.errorType))
				assert.Equal(t, n+1, s.failures(), "no other error type is counted")
				assert.Equal(t, failedScrapePoints, s.DataPointCount(), "only metrics about the scrape")
				other := scrapeOf(t, r.targets[1])
				assert.True(t, other.up(), "the other target")
				assert.Zero(t, other.failures())
			}
			failures := logs.FilterMessage("Scrape failed").All()
			require.Len(t, failures, 1, "one line per change, not per scrape")
			logged := fmt.Sprint(failures[0].ContextMap())
			for _, want := range append(test.log, endpoint) {
				assert.Contains(t, logged, want)
			}
			assert.False(t, strings.ContainsAny(logged, "\n\x1b"), logged)
		})
	}
}

// TestCensusOutlivesFailures checks that ages and start timestamp survive a failed scrape.
func TestCensusOutlivesFailures(t *testing.T) {
	down := false
	mux := pprofMux()
	cfg := testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, request)
	}))))
	cfg.AgedAfter = time.Nanosecond
	r, _ := newIdleReceiver(t, cfg)
	target := r.targets[0]

	first := scrapeOf(t, target)
	require.True(t, first.up())
	down = true
	require.False(t, scrapeOf(t, target).up())
	down = false
	again := scrapeOf(t, target)
	require.True(t, again.up())
	assert.Positive(t, again.sum("goroutine.stack.aged.count"))
	start := func(s scraped) uint64 { return uint64(s.points("goroutine.creations")[0].StartTimestamp()) }
	assert.Equal(t, start(first), start(again))
}

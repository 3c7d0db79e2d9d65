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

// idle is a receiver that scrapes when it is told to, and what it logs.
func idle(t *testing.T, cfg *Config) (*goroutineReceiver, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	r, err := newReceiver(cfg, newPool(), settings)
	require.NoError(t, err)
	connect(t, r)
	return r, logs
}

// connect readies the targets of a receiver for scrapes, without Start.
func connect(t *testing.T, r *goroutineReceiver) {
	t.Helper()
	for i, target := range r.targets {
		require.NoError(t, target.connect(t.Context(), r.configs[i], componenttest.NewNopHost(), r.telemetry))
		t.Cleanup(target.leave)
	}
	t.Cleanup(r.kit.clients.closeIdle)
}

// scrapeOf scrapes a target once.
func scrapeOf(t *testing.T, target *target) scraped {
	t.Helper()
	metrics, _, complete := target.scrape(t.Context())
	require.True(t, complete)
	return scraped{metrics}
}

// TestFaults scrapes targets that are not what they should be. Each must be told
// from each other, in the metric and in the log, and count nothing.
func TestFaults(t *testing.T) {
	goroutines := profileOf(t, "goroutine")
	html := []byte("<!DOCTYPE html><html><body>Please log in</body></html>")
	tests := []struct {
		name      string
		handler   http.Handler                          // nil: nobody listens
		serve     func(*testing.T, http.Handler) string // nil: serve
		change    func(*TargetConfig)
		errorType string
		log       []string
	}{
		{name: "nobody listens", errorType: "connection", log: []string{"refused"}},
		{name: "hung", handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), change: func(c *TargetConfig) { c.ClientConfig.Timeout = 50 * time.Millisecond }, errorType: "timeout", log: []string{"deadline"}},
		{name: "login page", handler: answer(200, map[string]string{"Content-Type": "text/html"}, html), errorType: "not_pprof", log: []string{"HTML"}},
		{name: "401", handler: answer(401, nil, nil), errorType: "unauthorized", log: []string{"401 Unauthorized"}},
		{name: "403", handler: answer(403, nil, nil), errorType: "unauthorized", log: []string{"403 Forbidden"}},
		{name: "404", handler: answer(404, nil, []byte("404 page not found\n")), errorType: "http_status", log: []string{"404 Not Found", "net/http/pprof"}},
		{name: "plain HTTP to a TLS port", serve: serveTLS, handler: answer(200, nil, nil), errorType: "http_status", log: []string{"https://"}},
		{name: "429", handler: answer(429, nil, nil), errorType: "http_status", log: []string{"429"}},
		{name: "500", handler: answer(500, nil, []byte("oh\nno")), errorType: "http_status", log: []string{"500 Internal Server Error", "oh"}},
		{name: "redirect", handler: answer(302, map[string]string{"Location": "http://example.com/"}, nil), errorType: "http_status", log: []string{"302", "redirects are not followed"}},
		{name: "empty", handler: answer(200, nil, nil), errorType: "not_pprof", log: []string{"empty"}},
		{name: "text", handler: answer(200, nil, []byte("goroutine profile: total 5\n")), errorType: "not_pprof"},
		{name: "heap profile", handler: answer(200, nil, profileOf(t, "heap")), errorType: "not_pprof", log: []string{"goroutine"}},
		{name: "truncated gzip", handler: answer(200, nil, goroutines[:len(goroutines)/2]), errorType: "malformed"},
		{name: "wrong length", handler: answer(200, map[string]string{"Content-Length": "100000"}, goroutines), errorType: "malformed", log: []string{"broke off"}},
		{name: "wrong encoding", handler: answer(200, map[string]string{"Content-Encoding": "gzip"}, []byte("plain")), errorType: "malformed"},
		{name: "too large", handler: answer(200, nil, bytes.Repeat([]byte("x"), 2<<20)), errorType: "too_large", log: []string{"max_body_size"}},
		{name: "bomb", handler: answer(200, nil, zipped(t, make([]byte, 64<<20))), errorType: "too_large"},
		{name: "trace of Go 1.21", handler: answer(200, nil, []byte("go 1.21 trace\x00\x00\x00")), change: func(c *TargetConfig) { c.Capture = CaptureTrace }, errorType: "unsupported_version", log: []string{"1.21"}},
		{name: "trace of Go 1.99", handler: answer(200, nil, []byte("go 1.99 trace\x00\x00\x00")), change: func(c *TargetConfig) { c.Capture = CaptureTrace }, errorType: "unsupported_version", log: []string{"1.99"}},
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
			r, logs := idle(t, cfg)
			for n := range int64(3) {
				s := scrapeOf(t, r.targets[0])
				assert.False(t, s.up())
				assert.Equal(t, n+1, s.failures(test.errorType))
				assert.Equal(t, n+1, s.failures(), "no other error type is counted")
				assert.Equal(t, ofAFailure, s.DataPointCount(), "nothing but how the scrape went")
				other := scrapeOf(t, r.targets[1])
				assert.True(t, other.up(), "the other target")
				assert.Zero(t, other.failures())
			}
			failures := logs.FilterMessage("Scrape failed").All()
			require.Len(t, failures, 1, "one line for the change, not one a scrape")
			said := fmt.Sprint(failures[0].ContextMap())
			for _, want := range append(test.log, endpoint) {
				assert.Contains(t, said, want)
			}
			assert.False(t, strings.ContainsAny(said, "\n\x1b"), said)
		})
	}
}

// TestHistoryOutlivesFailures has a target that fails for a while between two
// looks: ages and start stay.
func TestHistoryOutlivesFailures(t *testing.T) {
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
	r, _ := idle(t, cfg)
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

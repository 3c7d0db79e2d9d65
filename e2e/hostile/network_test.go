package hostile

import (
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// TestBadNetwork scrapes a sound target through a bad network.
func TestBadNetwork(t *testing.T) {
	t.Parallel() // it measures no memory
	s := startServer(t)
	for _, tc := range []struct{ name, toxic, errorType string }{
		{"far away", `{"type": "latency", "attributes": {"latency": 200, "jitter": 50}}`, ""},
		{"in slices", `{"type": "slicer", "attributes": {"average_size": 64, "size_variation": 32, "delay": 10}}`, ""},
		{"narrow", `{"type": "bandwidth", "attributes": {"rate": 1}}`, "timeout"},
		{"far too far away", `{"type": "latency", "attributes": {"latency": 5000}}`, "timeout"},
		{"tarpit", `{"type": "timeout", "attributes": {"timeout": 0}}`, "timeout"},
		{"closed", `{"type": "timeout", "attributes": {"timeout": 50}}`, "connection"},
		{"reset", `{"type": "reset_peer", "attributes": {"timeout": 0}}`, "connection"},
		{"cut in the body", `{"type": "limit_data", "attributes": {"bytes": 600}}`, "malformed"},
		{"cut in the headers", `{"type": "limit_data", "attributes": {"bytes": 40}}`, "connection"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			impatient := func(c *goroutinereceiver.TargetConfig) {
				c.Capture = traced
				c.ClientConfig.Timeout = 2 * time.Second
			}
			w := startReceiver(t, time.Second,
				target("bad", through(t, s, tc.toxic)+"/sound/debug/pprof", impatient),
				// The same process, which supports only one trace at a time.
				target("sound", s.plain+"/sound/debug/pprof", func(c *goroutinereceiver.TargetConfig) {
					c.Capture = goroutinereceiver.CaptureProfile
				}))
			got := w.await(t, "bad", 1, 20*time.Second)[0]
			up, errorType := got.up()
			assert.Equal(t, tc.errorType == "", up)
			assert.Equal(t, tc.errorType, errorType)
			if !up {
				assert.Equal(t, pointsOfFailure, got.DataPointCount(), "points about the scrape only")
			}
			other := w.await(t, "sound", 1, 20*time.Second)[0]
			soundUp, why := other.up()
			assert.True(t, soundUp, why)
		})
	}
}

// through starts a proxy of the server that applies toxic to its responses, and returns its URL.
func through(t *testing.T, s *server, toxic string) (address string) {
	t.Helper()
	host := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(host, t.Name(), "127.0.0.1:0", strings.TrimPrefix(s.plain, "http://"))
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(t, err)
	return "http://" + proxy.Listen
}

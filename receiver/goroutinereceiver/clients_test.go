package goroutinereceiver

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// TestTargetsShareAClient checks that targets share a client unless one has settings of its own:
// credentials must not be sent to others.
func TestTargetsShareAClient(t *testing.T) {
	var asked atomic.Int64
	mux := pprofMux()
	open := serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		asked.Add(1)
		assert.Empty(t, request.Header.Get("Authorization"))
		mux.ServeHTTP(w, request)
	}))
	closed := serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		asked.Add(1)
		assert.Equal(t, "secret", request.Header.Get("Authorization"))
		mux.ServeHTTP(w, request)
	}))
	cfg := testConfig(
		targetAt(open),
		targetAt(serve(t, mux), func(c *TargetConfig) { c.ClientConfig.Timeout *= 2 }),
		targetAt(closed, func(c *TargetConfig) {
			c.ClientConfig.Headers = configopaque.MapList{{Name: "Authorization", Value: "secret"}}
		}),
	)
	r, _ := newIdleReceiver(t, cfg)
	assert.Same(t, r.targets[0].capturer.client, r.targets[1].capturer.client)
	assert.NotSame(t, r.targets[0].capturer.client, r.targets[2].capturer.client)
	for _, target := range r.targets {
		assert.True(t, scrapeOf(t, target).up())
	}
	assert.Positive(t, asked.Load())
}

// TestConnectionsAreKeptAlive checks that connections are reused, unless there are too many
// targets.
func TestConnectionsAreKeptAlive(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(pprofMux())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	r, _ := newIdleReceiver(t, testConfig(targetAt(server.Listener.Addr().String())))
	r.targets[0].build.settled = true // one request per scrape
	scrape := func() (opened int64) {
		before := connections.Load()
		require.True(t, scrapeOf(t, r.targets[0]).up())
		return connections.Load() - before
	}
	assert.EqualValues(t, 1, scrape())
	assert.EqualValues(t, 0, scrape())
	r.pool.targets.Store(r.pool.maxConnections + 1)
	assert.EqualValues(t, 0, scrape(), "the existing connection is closed after the scrape")
	assert.EqualValues(t, 1, scrape())
	assert.EqualValues(t, 1, scrape())
	r.pool.targets.Store(r.pool.maxConnections)
	assert.EqualValues(t, 1, scrape())
	assert.EqualValues(t, 0, scrape())
}

// TestMoreTargetsThanFiles checks that the change is logged once, and that the targets of all
// receivers are counted.
func TestMoreTargetsThanFiles(t *testing.T) {
	shared := newPool()
	shared.maxConnections = 3
	core, logs := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	unused := unusedAddress(t)
	startOne := func() *goroutineReceiver {
		r, err := newReceiver(testConfig(targetAt(unused+"/a"), targetAt(unused+"/b")), shared, settings)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
		return r
	}
	first := startOne()
	assert.True(t, shared.keepsConnections())
	second := startOne()
	assert.False(t, shared.keepsConnections())
	entries := logs.FilterMessageSnippet("limit of open files").All()
	require.Len(t, entries, 1)
	assert.Equal(t, map[string]any{"targets": int64(4), "limit": int64(3), "connections_kept_alive": false}, entries[0].ContextMap())
	require.NoError(t, second.Shutdown(t.Context()))
	assert.True(t, shared.keepsConnections())
	require.NoError(t, first.Shutdown(t.Context()))
	require.NoError(t, first.Shutdown(t.Context()))
	assert.Zero(t, shared.targets.Load())
}

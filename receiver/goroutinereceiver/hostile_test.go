package goroutinereceiver

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serveRaw responds to every request with these bytes, and keeps the connection open.
func serveRaw(t *testing.T, response string) (endpoint string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer func() { _ = connection.Close() }() // the client may have closed it
				if _, err := http.ReadRequest(bufio.NewReader(connection)); err != nil {
					return
				}
				if _, err := io.WriteString(connection, response); err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, connection) // until the client closes it
			})
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		served.Wait()
	})
	return listener.Addr().String()
}

// TestInvalidHTTP checks that an invalid response fails one scrape with one short log line.
func TestInvalidHTTP(t *testing.T) {
	long := strings.Repeat("x\x1b[31m", 1<<18)
	tests := []struct{ name, response, errorType string }{
		{"switched protocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "http_status"},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "connection"},
		{"a long line of garbage", long + "\r\n", "connection"},
		{"long header line", "HTTP/1.1 200 OK\r\n" + long + "\r\n\r\n", "connection"},
		{"long length", "HTTP/1.1 200 OK\r\nContent-Length: " + strings.Repeat("9", 1<<18) + "x\r\n\r\n", "connection"},
		{"nothing", "", "timeout"},
		{"headers only", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "timeout"},
		{"early end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, logs := newIdleReceiver(t, testConfig(targetAt(serveRaw(t, test.response), func(c *TargetConfig) {
				if test.errorType == "timeout" { // the others must not depend on it
					c.ClientConfig.Timeout = 200 * time.Millisecond
				}
			})))
			began := time.Now()
			s := scrapeOf(t, r.targets[0])
			assert.Less(t, time.Since(began), 5*time.Second)
			assert.EqualValues(t, 1, s.failures(test.errorType))
			assert.EqualValues(t, 1, s.failures())
			require.Equal(t, 1, logs.Len())
			for _, value := range logs.All()[0].ContextMap() {
				assert.Less(t, len(value.(string)), 1000)
			}
		})
	}
}

// TestShutdownClosesConnections checks before the server is closed, which would also close them.
func TestShutdownClosesConnections(t *testing.T) {
	var open atomic.Int64
	closed := make(chan struct{}, 100)
	server := httptest.NewUnstartedServer(pprofMux())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
			closed <- struct{}{}
		}
	}
	server.StartTLS()
	defer server.Close()
	cfg := testConfig(targetAt(server.URL, func(c *TargetConfig) {
		c.ClientConfig.TLS.InsecureSkipVerify = true
		c.ClientConfig.Headers.Set("X-Tenant", "shop")
	}))
	r := startReceiver(t, cfg)
	require.True(t, r.next(t).up())
	require.Equal(t, int64(1), open.Load())
	require.NoError(t, r.Shutdown(t.Context()))
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		require.Fail(t, "the connection outlives Shutdown")
	}
}

// TestFallbackByFault fails traces in several ways while profiles work.
func TestFallbackByFault(t *testing.T) {
	hang := func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }
	tests := []struct {
		name  string
		trace http.HandlerFunc
		up    []bool // whether the first scrapes succeed
	}{
		{"unavailable", respondAlways(503, nil, nil).ServeHTTP, []bool{true, true}},
		{"redirect", respondAlways(302, map[string]string{"Location": "/"}, nil).ServeHTTP, []bool{true, true}},
		{"breaks off", respondAlways(200, map[string]string{"Content-Length": "9999"}, []byte("go 1.26 trace\x00\x00\x00")).ServeHTTP, []bool{true, true}},
		{"hangs", hang, []bool{false, true}},
		{"too many requests", respondAlways(429, nil, nil).ServeHTTP, []bool{false, false}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			mux := pprofMux()
			server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				if request.URL.Path == "/debug/pprof/trace" {
					test.trace(w, request)
					return
				}
				mux.ServeHTTP(w, request)
			}))
			cfg := testConfig(targetAt(server, func(c *TargetConfig) { c.ClientConfig.Timeout = 500 * time.Millisecond }))
			cfg.CollectionInterval = time.Minute
			r, _ := newIdleReceiver(t, cfg)
			for i, up := range test.up {
				assert.Equal(t, up, scrapeOf(t, r.targets[0]).up(), "scrape %d", i)
			}
		})
	}
}

// TestNoFallbackAfterOutage checks that the first scrape after a series of 404 takes a trace.
func TestNoFallbackAfterOutage(t *testing.T) {
	var down atomic.Bool
	mux := pprofMux()
	cfg := testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if down.Load() {
			http.NotFound(w, request)
			return
		}
		mux.ServeHTTP(w, request)
	}))))
	cfg.CollectionInterval = time.Minute
	r, _ := newIdleReceiver(t, cfg)
	down.Store(true)
	for range 20 {
		require.False(t, scrapeOf(t, r.targets[0]).up())
	}
	down.Store(false)
	s := scrapeOf(t, r.targets[0])
	assert.Len(t, s.points("goroutine.scrape.duration", "goroutine.scrape.source", "trace"), 1)
}

// TestRequests checks the list of all requests that a receiver sends, to a target that fails now
// and then. None has debug=2, which stops the world.
func TestRequests(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	mux := pprofMux()
	cfg := testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		mu.Lock()
		asked[request.Method+" "+request.URL.RequestURI()]++
		n := len(asked) + asked[request.Method+" "+request.URL.RequestURI()]
		mu.Unlock()
		switch {
		case request.URL.Path == "/debug/pprof/goroutineleak":
			request.URL.Path = "/debug/pprof/goroutine"
		case n%3 == 0:
			http.Error(w, "not now", http.StatusInternalServerError)
			return
		}
		mux.ServeHTTP(w, request)
	}))))
	cfg.LeakProfile.Enabled, cfg.LeakProfile.Interval = true, 50*time.Millisecond
	r := startReceiver(t, cfg)
	for range 60 {
		r.next(t)
	}
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{
		"GET /debug/pprof/goroutine?debug=0",
		"GET /debug/pprof/goroutineleak?debug=0",
		"GET /debug/pprof/threadcreate?debug=0",
		"GET /debug/pprof/trace?seconds=0.001",
	}, slices.Sorted(maps.Keys(asked)))
}

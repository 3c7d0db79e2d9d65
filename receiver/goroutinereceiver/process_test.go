package goroutinereceiver

import (
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// startWaiters starts n waiting goroutines. end ends them.
func startWaiters(t *testing.T, n int) (end func()) {
	t.Helper()
	until := make(chan struct{})
	var waiting sync.WaitGroup
	for range n {
		waiting.Go(func() { waitForNothing(until) })
	}
	end = sync.OnceFunc(func() {
		close(until)
		waiting.Wait()
	})
	t.Cleanup(end)
	return end
}

// startOf returns the start timestamp of the groups' counts.
func startOf(t *testing.T, s scraped) pcommon.Timestamp {
	t.Helper()
	points := s.points("goroutine.stack.count")
	require.NotEmpty(t, points)
	return points[0].StartTimestamp()
}

// TestNewProcessOfProfiles ends most goroutines of a target and closes its connections. In profiles
// that means a new process. The first scrape of the new process fails, as it often does, and the
// next must still detect it. If connections are not kept alive, each scrape has a new one.
func TestNewProcessOfProfiles(t *testing.T) {
	t.Run("connections are kept alive", func(t *testing.T) { newProcessOfProfiles(t, true) })
	t.Run("connections are closed", func(t *testing.T) { newProcessOfProfiles(t, false) })
}

func newProcessOfProfiles(t *testing.T, keepAlive bool) {
	t.Helper()
	var status atomic.Int64
	status.Store(http.StatusOK)
	mux := pprofMux()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if code := int(status.Load()); code != http.StatusOK {
			w.WriteHeader(code)
			return
		}
		mux.ServeHTTP(w, request)
	}))
	defer server.Close()
	r, _ := newIdleReceiver(t, testConfig(targetAt(server.Listener.Addr().String(), func(c *TargetConfig) { c.Capture = CaptureProfile })))
	target := r.targets[0]
	if !keepAlive {
		r.pool.targets.Store(r.pool.maxConnections + 1)
	}
	scrape := func() scraped { return scrapeOf(t, target) }

	end := startWaiters(t, 500)
	first := startOf(t, scrape())
	assert.Equal(t, first, startOf(t, scrape()), "nothing has changed")
	server.CloseClientConnections()
	assert.Equal(t, first, startOf(t, scrape()), "a new connection alone is not a new process")
	server.CloseClientConnections()
	status.Store(http.StatusServiceUnavailable)
	require.False(t, scrape().up())
	status.Store(http.StatusOK)
	end()
	second := startOf(t, scrape())
	assert.Greater(t, second, first, "another process")
	assert.Equal(t, second, startOf(t, scrape()), "the same process again")
}

// TestNewBuild serves profiles of two builds of a program. With the same connection, the binary
// was replaced on disk, but the process is the same.
func TestNewBuild(t *testing.T) {
	var build atomic.Pointer[[]byte]
	serveBuild := func(file string) {
		body, err := os.ReadFile("../../internal/profile/testdata/" + file)
		require.NoError(t, err)
		build.Store(&body)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*build.Load()) }))
	defer server.Close()
	r, _ := newIdleReceiver(t, testConfig(targetAt(server.Listener.Addr().String(), func(c *TargetConfig) { c.Capture = CaptureProfile })))
	scrape := func() scraped { return scrapeOf(t, r.targets[0]) }

	serveBuild("go1.25.pb.gz")
	first := startOf(t, scrape())
	assert.Equal(t, first, startOf(t, scrape()), "the same build")
	serveBuild("go1.26.pb.gz")
	assert.Equal(t, first, startOf(t, scrape()), "another build on the disk")
	server.CloseClientConnections()
	serveBuild("go1.25.pb.gz")
	second := startOf(t, scrape())
	assert.Greater(t, second, first, "another build behind a new connection")
	assert.Equal(t, second, startOf(t, scrape()), "the same build again")
}

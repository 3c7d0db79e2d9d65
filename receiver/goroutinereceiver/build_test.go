package goroutinereceiver

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// build returns the build ID of a scrape, if any.
func (s scraped) build(t *testing.T) string {
	t.Helper()
	points := s.points(telemetry.ProcessBuild)
	if len(points) == 0 {
		return ""
	}
	require.Len(t, points, 1)
	assert.EqualValues(t, 1, points[0].IntValue())
	id, _ := points[0].Attributes().Get(telemetry.AttrBuildID)
	return id.Str()
}

// ownBuild returns the build ID of the test binary.
func ownBuild(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, pprof.Lookup("threadcreate").WriteTo(&b, 0))
	s, err := profile.DecodeThreads([]byte(b.String()), 1<<20)
	require.NoError(t, err)
	return s.Build
}

// buildServer serves the profiles of this process and counts the requests for the build ID.
type buildServer struct {
	endpoint string
	asked    atomic.Int64
	status   atomic.Int64 // of the response, if not 0
	hang     atomic.Bool
}

func serveBuild(t *testing.T) *buildServer {
	t.Helper()
	s, mux := &buildServer{}, pprofMux()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if !strings.HasSuffix(request.URL.Path, "/threadcreate") {
			mux.ServeHTTP(w, request)
			return
		}
		s.asked.Add(1)
		switch status := int(s.status.Load()); {
		case s.hang.Load():
			<-request.Context().Done()
		case status != 0:
			w.WriteHeader(status)
		default:
			mux.ServeHTTP(w, request)
		}
	}))
	t.Cleanup(server.Close)
	s.endpoint = server.Listener.Addr().String()
	return s
}

func TestBuildIsFetchedOncePerProcess(t *testing.T) {
	if ownBuild(t) == "" {
		t.Skip("a test binary has no build ID here")
	}
	s := serveBuild(t)
	r, _ := newIdleReceiver(t, testConfig(targetAt(s.endpoint)))
	for range 3 {
		assert.Equal(t, ownBuild(t), scrapeOf(t, r.targets[0]).build(t))
	}
	assert.EqualValues(t, 1, s.asked.Load())
	r.targets[0].build.reset()
	assert.Equal(t, ownBuild(t), scrapeOf(t, r.targets[0]).build(t))
	assert.EqualValues(t, 2, s.asked.Load())
}

// TestNoBuild checks that a target without the profile is asked only once, and that its scrapes
// succeed.
func TestNoBuild(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		s := serveBuild(t)
		s.status.Store(int64(status))
		r, _ := newIdleReceiver(t, testConfig(targetAt(s.endpoint)))
		for range 3 {
			scrape := scrapeOf(t, r.targets[0])
			assert.True(t, scrape.up())
			assert.Empty(t, scrape.build(t))
		}
		assert.EqualValues(t, 1, s.asked.Load())
	}
}

// TestBuildTimeout checks that a target that timed out is asked again, and that the scrape still
// succeeds.
func TestBuildTimeout(t *testing.T) {
	s := serveBuild(t)
	s.hang.Store(true)
	r, _ := newIdleReceiver(t, testConfig(targetAt(s.endpoint, func(c *TargetConfig) { c.ClientConfig.Timeout = time.Second })))
	scrape := scrapeOf(t, r.targets[0])
	assert.True(t, scrape.up())
	assert.NotEmpty(t, scrape.points(telemetry.StackCount))
	s.hang.Store(false)
	assert.Equal(t, ownBuild(t), scrapeOf(t, r.targets[0]).build(t))
	assert.EqualValues(t, 2, s.asked.Load())
}

// TestBuildIDOfExecutable compares the build ID with the one in the executable.
func TestBuildIDOfExecutable(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	id := ownBuild(t)
	if id == "" {
		t.Skip("a test binary has no build ID here")
	}
	raw, err := hex.DecodeString(id)
	require.NoError(t, err)
	assert.Contains(t, string(content), string(raw))
}

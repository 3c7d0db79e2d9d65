package goroutinereceiver

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// waitForNothing is the blamed function of the planted goroutines.
func waitForNothing(never <-chan struct{}) { <-never }

// TestCensusOfALiveProcess scrapes this process, in which goroutines wait, are added, and end.
func TestCensusOfALiveProcess(t *testing.T) {
	never, later := make(chan struct{}), make(chan struct{})
	var planted sync.WaitGroup
	plant := func(n int, until chan struct{}) {
		for range n {
			planted.Go(func() { waitForNothing(until) })
		}
	}
	plant(30, never)
	release := sync.OnceFunc(func() { close(later) })
	defer planted.Wait()
	defer release()
	defer close(never)

	function := "github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver.waitForNothing"
	stack := []string{"code.function.name", function, "goroutine.state", "chan_receive"}
	r := startReceiver(t, testConfig(targetAt(serve(t, pprofMux()), func(c *TargetConfig) {
		c.ServiceName = "cart"
		c.Attributes = map[string]string{"team": "shop"}
	})))
	first := r.until(t, func(s scraped) bool { return s.sum("goroutine.stack.count", stack...) == 30 })
	assert.Equal(t, "cart", first.resource("service.name"))
	assert.Equal(t, "shop", first.resource("team"))
	assert.Equal(t, "127.0.0.1", first.resource("server.address"))
	assert.Equal(t, "127.0.0.1:"+first.resource("server.port"), first.resource("service.instance.id"))
	assert.Len(t, first.points("goroutine.scrape.duration", "goroutine.scrape.source", "trace"), 1)

	plant(12, later)
	aged := r.until(t, func(s scraped) bool { return s.sum("goroutine.stack.aged.count", stack...) == 42 })
	assert.Zero(t, aged.sum("goroutine.stack.aged.exits", stack...))
	assert.GreaterOrEqual(t, aged.sum("goroutine.creations"), int64(12))
	assert.Equal(t, aged.sum("go.goroutine.count"), aged.sum("goroutine.stack.count"), "the sum over signatures")
	assert.Equal(t, aged.sum("go.goroutine.count"), aged.sum("goroutine.entry.count"), "the sum over entries")
	point := aged.points("goroutine.stack.aged.exits", stack...)[0]
	assert.Less(t, point.StartTimestamp(), point.Timestamp())
	line, _ := point.Attributes().Get("code.line.number")
	assert.Positive(t, line.Int())

	release()
	r.until(t, func(s scraped) bool {
		return s.sum("goroutine.stack.aged.exits", stack...) == 12 && s.sum("goroutine.stack.count", stack...) == 30
	})
}

func TestProfileHasCountsOnly(t *testing.T) {
	r := startReceiver(t, testConfig(targetAt(serve(t, pprofMux()), func(c *TargetConfig) { c.Capture = CaptureProfile })))
	s := r.next(t)
	assert.True(t, s.up())
	assert.Len(t, s.points("goroutine.scrape.duration", "goroutine.scrape.source", "profile"), 1)
	assert.Positive(t, s.sum("go.goroutine.count"))
	assert.Equal(t, s.sum("go.goroutine.count"), s.sum("goroutine.stack.count"))
	for _, name := range []string{
		"goroutine.creations", "goroutine.stack.aged.count", "goroutine.stack.aged.exits", "goroutine.entry.aged.count", "goroutine.entry.aged.exits",
	} {
		assert.Empty(t, s.points(name), "%s is unknown, not 0", name)
	}
}

// TestSignaturesAgree checks that a group has the same signature in traces and profiles.
func TestSignaturesAgree(t *testing.T) {
	never := make(chan struct{})
	var planted sync.WaitGroup
	planted.Go(func() { waitForNothing(never) })
	defer planted.Wait()
	defer close(never)
	signatureBy := func(capture Capture) string {
		r := startReceiver(t, testConfig(targetAt(serve(t, pprofMux()), func(c *TargetConfig) { c.Capture = capture })))
		const function = "github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver.waitForNothing"
		s := r.until(t, func(s scraped) bool {
			return len(s.points("goroutine.stack.count", "code.function.name", function)) == 1
		})
		id, _ := s.points("goroutine.stack.count", "code.function.name", function)[0].Attributes().Get("goroutine.stack.signature")
		return id.Str()
	}
	assert.Equal(t, signatureBy(CaptureTrace), signatureBy(CaptureProfile))
}

// TestFallback scrapes a target that refuses traces for a while.
func TestFallback(t *testing.T) {
	var refuse atomic.Bool
	var traces, profiles atomic.Int64
	mux := pprofMux()
	r := startReceiver(t, testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/debug/pprof/trace":
			traces.Add(1)
			if refuse.Load() {
				http.Error(w, "Could not enable tracing: tracing is already enabled", http.StatusInternalServerError)
				return
			}
		case "/debug/pprof/goroutine":
			profiles.Add(1)
			assert.Equal(t, "debug=0", request.URL.RawQuery)
		}
		mux.ServeHTTP(w, request)
	})))))
	source := func(want string) func(scraped) bool {
		return func(s scraped) bool {
			return s.up() && len(s.points("goroutine.scrape.duration", "goroutine.scrape.source", want)) == 1
		}
	}
	require.True(t, source("trace")(r.next(t)))
	require.Zero(t, profiles.Load())
	refuse.Store(true)
	r.until(t, source("profile"))
	before := traces.Load()
	for range 30 {
		require.True(t, source("profile")(r.next(t)))
	}
	assert.LessOrEqual(t, traces.Load()-before, int64(6), "the fallback is remembered, longer each time")
	refuse.Store(false)
	r.until(t, source("trace"))
}

// TestHungTargets checks that hung targets delay neither the others nor Shutdown.
func TestHungTargets(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hung := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		select {
		case <-release:
		case <-request.Context().Done():
		}
	}))
	healthy := serve(t, pprofMux())
	cfg := testConfig(targetAt(healthy))
	cfg.MaxConcurrentScrapes = 1
	for range 50 {
		cfg.Targets = append(cfg.Targets, targetAt(fmt.Sprintf("%s/%d", hung, len(cfg.Targets))))
	}
	r := startReceiver(t, cfg)
	for range 20 {
		assert.True(t, r.next(t, healthy).up())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	assert.NoError(t, r.Shutdown(ctx))
}

// TestNoConcurrentScrapes scrapes a target that takes longer than the interval.
func TestNoConcurrentScrapes(t *testing.T) {
	var at atomic.Int64
	mux := pprofMux()
	r := startReceiver(t, testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		assert.Equal(t, int64(1), at.Add(1))
		defer at.Add(-1)
		<-time.After(60 * time.Millisecond)
		mux.ServeHTTP(w, request)
	})))))
	for range 5 {
		assert.True(t, r.next(t).up())
	}
}

// TestHungConsumer checks that a hung consumer does not block Shutdown.
func TestHungConsumer(t *testing.T) {
	r := startReceiver(t, testConfig(targetAt(serve(t, pprofMux()))))
	r.next(t) // from now on the consumer blocks
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	assert.NoError(t, r.Shutdown(ctx))
}

// TestShutdownDeliversCompleteScrape shuts down during a call to the next consumer, which must
// succeed.
func TestShutdownDeliversCompleteScrape(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	var delivered atomic.Int64
	next, err := consumer.NewMetrics(func(ctx context.Context, _ pmetric.Metrics) error {
		close(entered)
		select {
		case <-proceed:
			delivered.Add(1)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	require.NoError(t, err)
	cfg := testConfig(targetAt(serve(t, pprofMux())))
	r, err := newReceiver(cfg, newPool(), receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	r.next = next
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-entered
	stopped, cancel := make(chan struct{}), r.cancel
	r.cancel = func() {
		cancel()
		close(stopped)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Shutdown(t.Context()) }()
	<-stopped
	close(proceed)
	require.NoError(t, <-ended)
	assert.EqualValues(t, 1, delivered.Load())
}

// TestFirstScrapeIsLogged checks the log message of the first scrape.
func TestFirstScrapeIsLogged(t *testing.T) {
	cfg := testConfig(targetAt(serve(t, pprofMux())))
	cfg.AgedAfter = 10 * time.Minute
	r, logs := newIdleReceiver(t, cfg)
	for range 3 {
		scrapeOf(t, r.targets[0])
	}
	first := logs.FilterMessage("First scrape").All()
	require.Len(t, first, 1)
	fields := first[0].ContextMap()
	assert.Equal(t, "trace", fields["source"])
	assert.Equal(t, 40*time.Minute, fields["earliest_verdict_at_defaults"])
	assert.Positive(t, fields["goroutines"])
}

package goroutinereceiver

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// shop is a service in which one checkout in four gets no reply.
type shop struct {
	never     chan struct{}
	checkouts sync.WaitGroup
}

func openShop(t *testing.T) {
	t.Helper()
	s := &shop{never: make(chan struct{})}
	closing := make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-closing:
				return
			case <-ticker.C:
				s.checkOut(n%4 == 0)
			}
		}
	})
	t.Cleanup(func() {
		close(closing)
		serving.Wait()
		close(s.never)
		s.checkouts.Wait()
	})
}

func (s *shop) checkOut(forget bool) {
	reply := make(chan struct{}, 1)
	s.checkouts.Add(1)
	go s.waitForReply(reply)
	if !forget {
		time.AfterFunc(time.Millisecond, func() { sendReply(reply) })
	}
}

func (s *shop) waitForReply(reply chan struct{}) {
	defer s.checkouts.Done()
	select {
	case <-reply:
	case <-s.never:
	}
}

func sendReply(reply chan<- struct{}) { reply <- struct{}{} }

const inThisPackage = "github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver."

// originsConfig scrapes so often that goroutines accumulate within seconds.
func originsConfig(targets ...TargetConfig) *Config {
	cfg := testConfig(targets...)
	cfg.CollectionInterval = 400 * time.Millisecond
	cfg.AgedAfter = 100 * time.Millisecond
	cfg.Origins.Duration = 200 * time.Millisecond
	cfg.Origins.Budget = 1
	return cfg
}

// traceRequests records the queries of requests for traces.
type traceRequests struct {
	mu    sync.Mutex
	spans []string
}

func (a *traceRequests) add(request *http.Request) {
	if !strings.HasSuffix(request.URL.Path, "/trace") {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spans = append(a.spans, request.URL.RawQuery)
}

func (a *traceRequests) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.spans)
}

// TestOriginsOfALeak checks that the creator of goroutines that leak among healthy siblings, and
// the waker of the siblings, are reported within a few scrapes, in metrics and in a log record, by
// one receiver.
func TestOriginsOfALeak(t *testing.T) {
	openShop(t)
	var traces traceRequests
	mux := pprofMux()
	cfg := originsConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		traces.add(request)
		mux.ServeHTTP(w, request)
	})), func(c *TargetConfig) { c.ServiceName = "shop" }))
	metrics, records := new(consumertest.MetricsSink), new(consumertest.LogsSink)
	factory := NewFactory()
	settings := receivertest.NewNopSettings(metadata.Type)
	first, err := factory.CreateMetrics(t.Context(), settings, cfg, metrics)
	require.NoError(t, err)
	second, err := factory.CreateLogs(t.Context(), settings, cfg, records)
	require.NoError(t, err)
	require.Same(t, first, second)
	require.NoError(t, first.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, second.Start(t.Context(), componenttest.NewNopHost()))

	entry := []string{telemetry.AttrEntry, inThisPackage + "(*shop).waitForReply"}
	creator := append(slices.Clone(entry), telemetry.AttrOriginCaught, "leaked_birth", telemetry.AttrCreatorType, "go",
		telemetry.AttrCreatorFunction, inThisPackage+"(*shop).checkOut", telemetry.AttrCreatorOwnFunction, inThisPackage+"(*shop).checkOut")
	var found scraped
	require.Eventually(t, func() bool {
		for _, md := range metrics.AllMetrics() {
			if s := (scraped{md}); s.sum(telemetry.OriginCreations, creator...) > 0 {
				found = s
			}
		}
		return found.Metrics != (scraped{}).Metrics && records.LogRecordCount() > 0
	}, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, first.Shutdown(t.Context()))
	require.NoError(t, second.Shutdown(t.Context()))

	assert.Less(t, len(metrics.AllMetrics()), 20, "scrapes")
	assert.Positive(t, found.points(telemetry.OriginTraced, entry...)[0].DoubleValue())
	waker := append(slices.Clone(entry), telemetry.AttrWakerFunction, inThisPackage+"sendReply")
	assert.Positive(t, found.sum(telemetry.OriginWakeups, waker...))
	assert.Equal(t, startOf(t, found), found.points(telemetry.OriginCreations, creator...)[0].StartTimestamp())
	assert.Positive(t, lifetimeCount(found, entry...))
	spans := traces.all()
	long := slices.DeleteFunc(slices.Clone(spans), func(q string) bool { return q == "seconds=0.001" })
	assert.NotEmpty(t, long)
	// Shutdown may have canceled one.
	assert.InDelta(t, len(metrics.AllMetrics()), len(spans), 1, "a trace for origins replaces the trace of the scrape")

	record := recordOf(t, records.AllLogs(), entry...)
	assert.Equal(t, telemetry.EventOrigin, record.EventName())
	assert.Contains(t, record.Body().Str(), "(*shop).checkOut")
	trace, _ := record.Attributes().Get(telemetry.AttrStackTrace)
	for _, function := range []string{"(*shop).checkOut(...)\n", "openShop", "sendReply(...)\n"} {
		assert.Contains(t, trace.Str(), function)
	}
}

// lifetimeCount returns the number of lifetimes in the histogram.
func lifetimeCount(s scraped, attributes ...string) uint64 {
	for _, m := range s.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() != telemetry.OriginLifetime {
			continue
		}
		for _, p := range m.Histogram().DataPoints().All() {
			if has(p.Attributes(), attributes) {
				return p.Count()
			}
		}
	}
	return 0
}

// recordOf returns the latest record with these attributes.
func recordOf(t *testing.T, all []plog.Logs, attributes ...string) plog.LogRecord {
	t.Helper()
	var found plog.LogRecord
	known := false
	for _, logs := range all {
		resource := logs.ResourceLogs().At(0)
		assert.True(t, has(resource.Resource().Attributes(), []string{"service.name", "shop"}))
		for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
			if has(record.Attributes(), attributes) {
				found, known = record, true
			}
		}
	}
	require.True(t, known, "a record with %v", attributes)
	return found
}

// TestQuietTargetIsNotTraced checks that a target whose goroutines come and go is never traced for
// longer than a millisecond.
func TestQuietTargetIsNotTraced(t *testing.T) {
	startWaiters(t, 100)
	var traces traceRequests
	mux := pprofMux()
	cfg := testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		traces.add(request)
		end := startWaiters(t, 20)
		defer end()
		mux.ServeHTTP(w, request)
	}))))
	cfg.Origins.Budget = 1
	r := startReceiver(t, cfg)
	for range 60 {
		require.True(t, r.next(t).up())
	}
	for _, q := range traces.all() {
		assert.Equal(t, "seconds=0.001", q)
	}
}

// TestOriginsDisabled checks that a leaking process is not traced for origins.
func TestOriginsDisabled(t *testing.T) {
	openShop(t)
	var traces traceRequests
	mux := pprofMux()
	cfg := originsConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		traces.add(request)
		mux.ServeHTTP(w, request)
	}))))
	cfg.CollectionInterval = 50 * time.Millisecond
	cfg.Origins.Enabled = false
	r := startReceiver(t, cfg)
	for range 40 {
		assert.Empty(t, r.next(t).points(telemetry.OriginTraced))
	}
	for _, q := range traces.all() {
		assert.Equal(t, "seconds=0.001", q)
	}
}

// TestShutdownCancelsTrace shuts down while a target sends an endless trace.
func TestShutdownCancelsTrace(t *testing.T) {
	openShop(t)
	tracing := make(chan struct{}, 1)
	mux := pprofMux()
	cfg := originsConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if !strings.HasSuffix(request.URL.Path, "/trace") || request.URL.RawQuery == "seconds=0.001" {
			mux.ServeHTTP(w, request)
			return
		}
		_, _ = w.Write([]byte("go 1.26 trace\x00\x00\x00"))
		_ = http.NewResponseController(w).Flush()
		tracing <- struct{}{}
		<-request.Context().Done()
	}))))
	r := startReceiver(t, cfg)
	deadline := time.After(20 * time.Second)
	for waiting := true; waiting; {
		select {
		case <-r.scrapes:
		case <-tracing:
			waiting = false
		case <-deadline:
			require.Fail(t, "no trace within 20 s")
		}
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.NoError(t, r.Shutdown(ctx))
	assert.Less(t, time.Since(began), time.Second)
}

// TestLogsOnly runs a receiver without a metrics pipeline.
func TestLogsOnly(t *testing.T) {
	openShop(t)
	cfg := originsConfig(targetAt(serve(t, pprofMux()), func(c *TargetConfig) { c.ServiceName = "shop" }))
	records := new(consumertest.LogsSink)
	factory := NewFactory()
	r, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, records)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return records.LogRecordCount() > 0 }, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	again, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, records)
	require.NoError(t, err)
	assert.NotSame(t, r, again, "a stopped receiver is not reused")
}

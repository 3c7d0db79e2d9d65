package leakpage

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/exporter/leakpage/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestBothSignalsAreOnOnePage sends a leak as metrics, and its origin as logs.
func TestBothSignalsAreOnOnePage(t *testing.T) {
	r := start(t, nil)
	assert.Same(t, r.metrics, r.logs)
	now := time.Now()
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(now, 60)))
	require.NoError(t, r.logs.ConsumeLogs(t.Context(), origin(now)))
	status, list := r.get("/", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, list, "order.go:88")
	status, finding := r.get("/findings/"+leakID, "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, finding, "shop/order.checkOut")
	assert.Contains(t, finding, "order.go:31")
	assert.Contains(t, finding, "8 of 383")
	status, document := r.get("/api/findings/"+leakID, "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, document, `"severity":"probable"`)
}

func TestHostMustBeAllowed(t *testing.T) {
	r := start(t, nil, func(c *Config) { c.AllowedHosts = []string{"leaks.example"} })
	for host, want := range map[string]int{"": 200, "localhost": 200, "leaks.example": 200, "leaks.example:80": 200, "evil.example": 421} {
		got, _ := r.get("/", host)
		assert.Equal(t, want, got, host)
	}
}

// Neither the handlers that the collector adds nor the write timeout of the server may end a stream.
// This timeout has passed before the handler writes anything.
func TestEventsAreSentThroughTheServer(t *testing.T) {
	r := start(t, nil, func(c *Config) { c.Server.WriteTimeout = time.Nanosecond })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.address+"/events", http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	buffer := make([]byte, 100)
	n, err := response.Body.Read(buffer)
	require.NoError(t, err)
	assert.Contains(t, string(buffer[:n]), "retry")
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Now(), 60)))
	n, err = response.Body.Read(buffer)
	require.NoError(t, err)
	assert.Contains(t, string(buffer[:n]), "event: change")
	r.stop() // ends although the stream is open
}

func TestStateSurvivesARestart(t *testing.T) {
	storage := statetest.New(nil)
	now := time.Now()
	first := start(t, storage)
	for n := range 5 {
		require.NoError(t, first.metrics.ConsumeMetrics(t.Context(), shop(now.Add(time.Duration(n-5)*time.Minute), 50+n)))
	}
	require.NoError(t, first.logs.ConsumeLogs(t.Context(), origin(now)))
	_, before := first.get("/api/findings/"+leakID, "")
	first.stop()
	second := start(t, storage)
	status, after := second.get("/api/findings/"+leakID, "")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, before, after)
	_, services := second.get("/services", "")
	assert.Contains(t, services, "1 of 1 target up")
}

func TestInvalidStateIsSetAside(t *testing.T) {
	storage := statetest.New(map[string][]byte{state.Key: []byte("nonsense")})
	r := start(t, storage)
	assert.Equal(t, map[string][]byte{state.AsideKey: []byte("nonsense")}, storage.Data())
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Now(), 60)))
	status, _ := r.get("/findings/"+leakID, "")
	assert.Equal(t, http.StatusOK, status)
}

func TestStorageFails(t *testing.T) {
	for _, operation := range state.Operations {
		for _, panics := range []bool{false, true} {
			t.Run(fmt.Sprint(operation, " panics ", panics), func(t *testing.T) {
				r := start(t, statetest.Failing(operation, panics))
				require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Now(), 60)))
				status, _ := r.get("/findings/"+leakID, "")
				assert.Equal(t, http.StatusOK, status)
				require.NoError(t, r.metrics.Shutdown(t.Context()))
				errors, err := r.telemetry.GetMetric("otelcol_exporter_leak_page_state_errors")
				require.NoError(t, err)
				points := errors.Data.(metricdata.Sum[int64]).DataPoints
				require.Len(t, points, 1)
				counted, _ := points[0].Attributes.Value("operation")
				assert.Equal(t, operation, counted.AsString())
			})
		}
	}
}

func TestStartErrorsNameTheKey(t *testing.T) {
	other := start(t, nil)
	for key, change := range map[string]func(*Config){
		"storage":  func(c *Config) { c.Storage = &statetest.ID },
		"endpoint": func(c *Config) { c.Server.NetAddr.Endpoint = other.address },
	} {
		c := defaultConfig()
		c.Server.NetAddr.Endpoint = "127.0.0.1:0"
		change(c)
		e := newUnstarted(t, c)
		require.ErrorContains(t, e.Start(t.Context(), statetest.Host{}), "'"+key+"'")
		require.NoError(t, e.Shutdown(t.Context()))
	}
}

func newUnstarted(t *testing.T, c *Config) exporter.Metrics {
	t.Helper()
	set := exporter.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	e, err := NewFactory().CreateMetrics(t.Context(), set, c)
	require.NoError(t, err)
	return e
}

func TestShutdownWithoutStart(t *testing.T) {
	e := newUnstarted(t, defaultConfig())
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestTelemetry(t *testing.T) {
	r := start(t, nil)
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Now(), 60)))
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Unix(0, 0), 60)))
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), pmetric.NewMetrics()))
	require.NoError(t, r.logs.ConsumeLogs(t.Context(), plog.NewLogs()))
	for _, name := range []string{"otelcol_exporter_leak_page_findings", "otelcol_exporter_leak_page_dropped_points"} {
		_, err := r.telemetry.GetMetric(name)
		require.NoError(t, err)
	}
}

// TestConcurrentUse sends and requests concurrently, for the race detector.
func TestConcurrentUse(t *testing.T) {
	r := start(t, statetest.New(nil))
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 20 {
				at := time.Now().Add(time.Duration(n-100) * time.Minute)
				assert.NoError(t, r.metrics.ConsumeMetrics(context.Background(), shop(at, 50+n)))
				assert.NoError(t, r.logs.ConsumeLogs(context.Background(), origin(at)))
				r.get([]string{"/", "/services", "/findings/" + leakID, "/api/services"}[i], "")
			}
		})
	}
	all.Wait()
}

// TestWarnsWithoutDetector checks that the exporter warns once if goroutines arrive that no detector
// reports on.
func TestWarnsWithoutDetector(t *testing.T) {
	for name, tc := range map[string]struct {
		judged bool
		want   int
	}{"no leak_detect": {false, 1}, "leak_detect": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logged := observer.New(zap.WarnLevel)
				set := exporter.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
				set.Logger = zap.New(core)
				p, err := newLeakPage(defaultConfig(), set)
				require.NoError(t, err)
				for range 20 {
					require.NoError(t, p.ConsumeMetrics(t.Context(), quiet(time.Now(), tc.judged)))
					time.Sleep(time.Minute)
				}
				require.NoError(t, p.Shutdown(t.Context()))
				require.Len(t, logged.FilterMessageSnippet("leak_detect").All(), tc.want)
			})
		})
	}
}

// quiet returns the metrics of a service without a leak, with those of a detector if judged is set.
func quiet(at time.Time, judged bool) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	to := rm.ScopeMetrics().AppendEmpty().Metrics()
	gauge := func(name string) pcommon.Map {
		m := to.AppendEmpty()
		m.SetName(name)
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(1)
		return p.Attributes()
	}
	group(gauge(telemetry.StackCount)).PutStr(telemetry.AttrSignature, "1")
	if judged {
		gauge(telemetry.ServiceInstanceCount)
	}
	return md
}

package leakpage

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/exporter/leakpage/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// rig is a started exporter from NewFactory, for both signals.
type rig struct {
	t         *testing.T
	metrics   exporter.Metrics
	logs      exporter.Logs
	telemetry *componenttest.Telemetry
	address   string
	stopped   bool
}

func start(t *testing.T, storage *statetest.Storage, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, telemetry: componenttest.NewTelemetry()}
	set := exporter.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: r.telemetry.NewTelemetrySettings()}
	cfg := defaultConfig()
	cfg.Server.NetAddr.Endpoint = freeAddress(t)
	extensions := statetest.Host{}
	if storage != nil {
		cfg.Storage = &statetest.ID
		extensions = statetest.NewHost(storage)
	}
	for _, c := range change {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	r.address = cfg.Server.NetAddr.Endpoint
	factory := NewFactory()
	var err error
	r.metrics, err = factory.CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	r.logs, err = factory.CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, r.metrics.Start(t.Context(), extensions))
	require.NoError(t, r.logs.Start(t.Context(), extensions))
	t.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	require.NoError(r.t, r.logs.Shutdown(context.Background()))
	require.NoError(r.t, r.metrics.Shutdown(context.Background()))
	require.NoError(r.t, r.telemetry.Shutdown(context.Background()))
	http.DefaultClient.CloseIdleConnections()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// get requests a page from host; from the address of the server if host is empty.
func (r *rig) get(path, host string) (status int, body string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.address+path, http.NoBody)
	require.NoError(r.t, err)
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, response.Body.Close()) }()
	data, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(data)
}

const leakID = "3e0e28e30f2a7cd8"

// shop returns the metrics of an instance of the service shop, which leaks.
func shop(at time.Time, leaked int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("service.instance.id", "a")
	to := rm.ScopeMetrics().AppendEmpty().Metrics()
	gauge := func(name string, value float64) pcommon.Map {
		m := to.AppendEmpty()
		m.SetName(name)
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(value)
		return p.Attributes()
	}
	gauge(telemetry.GoroutineCount, float64(leaked+10))
	gauge(telemetry.ScrapeUp, 1)
	group(gauge(telemetry.StackCount, float64(leaked))).PutStr(telemetry.AttrSignature, "1")
	for name, value := range map[string]float64{
		telemetry.LeakSeverity: 2, telemetry.LeakCount: float64(leaked), telemetry.LeakGrowthRate: 60, telemetry.LeakAgeMin: 600, telemetry.LeakExits: 0,
	} {
		group(gauge(name, value)).PutStr(telemetry.AttrLeakID, leakID)
	}
	md.MarkReadOnly()
	return md
}

func group(to pcommon.Map) pcommon.Map {
	to.PutStr(telemetry.AttrState, "chan_send")
	to.PutStr(telemetry.AttrFunction, "shop/order.ask")
	to.PutStr(telemetry.AttrFile, "/src/shop/order.go")
	to.PutInt(telemetry.AttrLine, 88)
	to.PutStr(telemetry.AttrEntry, "shop/order.ask")
	return to
}

// origin returns the log record with the origin of that leak.
func origin(at time.Time) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetEventName(telemetry.EventOrigin)
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	record.Body().SetStr("Goroutines of shop/order.ask that leak are started at shop/order.checkOut (/src/shop/order.go:31): 8 of 383 started in 1s")
	group(record.Attributes())
	record.Attributes().PutStr(telemetry.AttrOriginCaught, "leaked_birth")
	record.Attributes().PutStr(telemetry.AttrStackTrace, "created by, 8, 100%:\nshop/order.checkOut(...)\n\t/src/shop/order.go:31\n")
	ld.MarkReadOnly()
	return ld
}

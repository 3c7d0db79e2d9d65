package leakevents

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadatatest"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// rig is a started connector from NewFactory, with its output.
type rig struct {
	t         *testing.T
	connector connector.Metrics
	sink      *consumertest.LogsSink
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
	stopped   bool
}

func start(t *testing.T, storage *statetest.Storage, change ...func(*rig) consumer.Logs) *rig {
	t.Helper()
	r := &rig{t: t, sink: new(consumertest.LogsSink), telemetry: componenttest.NewTelemetry()}
	set := metadatatest.NewSettings(r.telemetry)
	core, logs := observer.New(zap.InfoLevel)
	set.Logger, r.logs = zap.New(core), logs
	set.BuildInfo.Version = "1.2.3"
	cfg := defaultConfig()
	extensions := statetest.Host{}
	if storage != nil {
		cfg.Storage = &statetest.ID
		extensions = statetest.NewHost(storage)
	}
	require.NoError(t, cfg.Validate())
	var next consumer.Logs = r.sink
	for _, c := range change {
		next = c(r)
	}
	var err error
	r.connector, err = NewFactory().CreateMetricsToLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.connector.Start(t.Context(), extensions))
	t.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	require.NoError(r.t, r.connector.Shutdown(context.Background()))
	require.NoError(r.t, r.telemetry.Shutdown(context.Background()))
}

func (r *rig) consume(md pmetric.Metrics) {
	r.t.Helper()
	md.MarkReadOnly()
	require.NoError(r.t, r.connector.ConsumeMetrics(r.t.Context(), md))
}

// changes returns the changes in the records so far.
func (r *rig) changes() []string {
	var all []string
	for _, ld := range r.sink.AllLogs() {
		all = append(all, changesIn(ld)...)
	}
	return all
}

func changesIn(ld plog.Logs) []string {
	var all []string
	for _, rl := range ld.ResourceLogs().All() {
		change, _ := rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().Get(telemetry.AttrLeakChange)
		all = append(all, change.Str())
	}
	return all
}

// process is a process of the service shop, as the receiver and the detector report it.
type process struct {
	name, build      string
	start            time.Time
	severity, leaked int
	whole            int // goroutines in all instances; negative without metrics of the service as a whole
}

var epoch = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

func leaking(severity, leaked int) process {
	return process{name: "a", build: "b1b1b1b1c0ffee", start: epoch.Add(-2 * time.Hour), severity: severity, leaked: leaked, whole: -1}
}

// metrics returns the metrics of the process at a minute.
func (p process) metrics(minute int) pmetric.Metrics {
	at := epoch.Add(time.Duration(minute) * time.Minute)
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("service.namespace", "sales")
	service := pcommon.NewMap()
	rm.Resource().Attributes().CopyTo(service)
	rm.Resource().Attributes().PutStr("service.instance.id", p.name)
	to := rm.ScopeMetrics().AppendEmpty().Metrics()

	born := to.AppendEmpty()
	born.SetName(telemetry.GoroutineCreations)
	sum := born.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	count := sum.DataPoints().AppendEmpty()
	count.SetStartTimestamp(pcommon.NewTimestampFromTime(p.start))
	count.SetTimestamp(pcommon.NewTimestampFromTime(at))
	count.SetIntValue(int64(600 * at.Sub(p.start).Minutes()))
	gauge(to, telemetry.ProcessBuild, at, 1).PutStr(telemetry.AttrBuildID, p.build)
	if p.severity >= 0 {
		for name, value := range map[string]float64{
			telemetry.LeakSeverity: float64(p.severity), telemetry.LeakCount: float64(p.leaked), telemetry.LeakGrowthRate: 60,
			telemetry.LeakStartTime: float64(p.start.Unix()), telemetry.LeakAgeMin: 600, telemetry.LeakExits: 0,
		} {
			group(gauge(to, name, at, value))
		}
	}
	if p.severity >= int(finding.Probable) {
		origins(to, at)
	}
	if p.whole >= 0 {
		rm := md.ResourceMetrics().AppendEmpty()
		service.CopyTo(rm.Resource().Attributes())
		to := rm.ScopeMetrics().AppendEmpty().Metrics()
		severity := float64(p.severity)
		if p.severity < 0 {
			severity = 2 // the detector keeps it for a while
		}
		for name, value := range map[string]float64{
			telemetry.ServiceLeakSeverity: severity, telemetry.ServiceLeakCount: float64(p.whole),
			telemetry.ServiceLeakGrowthRate: 60, telemetry.ServiceLeakInstanceCount: 1,
		} {
			group(gauge(to, name, at, value))
		}
	}
	return md
}

// origins appends the origins of the goroutines, as found in a trace.
func origins(to pmetric.MetricSlice, at time.Time) {
	created := gauge(to, telemetry.OriginCreations, at, 8)
	group(created)
	created.PutStr(telemetry.AttrOriginCaught, "leaked_birth")
	created.PutStr(telemetry.AttrCreatorType, "go")
	created.PutStr(telemetry.AttrCreatorFunction, "golang.org/x/sync/errgroup.(*Group).Go")
	created.PutStr(telemetry.AttrCreatorFile, "/go/pkg/mod/golang.org/x/sync@v0.25.0/errgroup/errgroup.go")
	created.PutInt(telemetry.AttrCreatorLine, 93)
	created.PutStr(telemetry.AttrCreatorOwnFunction, "shop/order.checkOut")
	created.PutStr(telemetry.AttrCreatorOwnFile, "/src/shop/order.go")
	created.PutInt(telemetry.AttrCreatorOwnLine, 61)
	woken := gauge(to, telemetry.OriginWakeups, at, 375)
	group(woken)
	woken.PutStr(telemetry.AttrWakerFunction, "shop/order.takePrice")
	woken.PutStr(telemetry.AttrWakerFile, "/src/shop/order.go")
	woken.PutInt(telemetry.AttrWakerLine, 70)
	woken.PutStr(telemetry.AttrWakerCall, "shop/order.(*price).get")
}

func gauge(to pmetric.MetricSlice, name string, at time.Time, value float64) pcommon.Map {
	m := to.AppendEmpty()
	m.SetName(name)
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	p.SetDoubleValue(value)
	return p.Attributes()
}

func group(to pcommon.Map) {
	to.PutStr(telemetry.AttrLeakID, "3e0e28e30f2a7cd8")
	to.PutStr(telemetry.AttrState, "chan_send")
	to.PutStr(telemetry.AttrFunction, "shop/order.ask")
	to.PutStr(telemetry.AttrFile, "/src/shop/order.go")
	to.PutInt(telemetry.AttrLine, 88)
	to.PutStr(telemetry.AttrEntry, "shop/order.ask")
}

// newUnstarted returns a connector that was not started.
func newUnstarted(t testing.TB) connector.Metrics {
	t.Helper()
	c, err := NewFactory().CreateMetricsToLogs(t.Context(), metadatatest.NewSettings(componenttest.NewTelemetry()), defaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.Equal(t, metadata.Type, NewFactory().Type())
	return c
}

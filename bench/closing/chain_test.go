package main

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// chain is the real processor, which sends to the real connector.
type chain struct {
	processor.Metrics
	sink consumertest.LogsSink
}

func newChain(t *testing.T, services bool) *chain {
	t.Helper()
	c := &chain{}
	events := leakevents.NewFactory()
	connector, err := events.CreateMetricsToLogs(t.Context(), connectortest.NewNopSettings(events.Type()), events.CreateDefaultConfig(), &c.sink)
	require.NoError(t, err)
	detect := leakdetect.NewFactory()
	cfg := detect.CreateDefaultConfig().(*leakdetect.Config)
	cfg.MaxLifetime, cfg.Services = time.Hour, services
	c.Metrics, err = detect.CreateMetrics(t.Context(), processortest.NewNopSettings(detect.Type()), cfg, connector)
	require.NoError(t, err)
	require.NoError(t, connector.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		require.NoError(t, c.Shutdown(t.Context()))
		require.NoError(t, connector.Shutdown(t.Context()))
	})
	return c
}

func (c *chain) records() []plog.LogRecord {
	var all []plog.LogRecord
	for _, ld := range c.sink.AllLogs() {
		for _, rl := range ld.ResourceLogs().All() {
			all = append(all, rl.ScopeLogs().At(0).LogRecords().At(0))
		}
	}
	return all
}

// changes returns the changes of leaks in order, without those of certainty.
func (c *chain) changes() []string {
	var all []string
	for _, record := range c.records() {
		change, _ := record.Attributes().Get(telemetry.AttrLeakChange)
		if change.Str() != "raised" && change.Str() != "lowered" {
			all = append(all, change.Str())
		}
	}
	return all
}

// census returns the metrics of all processes as the receiver emits them.
func (f *fleet) census() pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, p := range f.live {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "shop")
		rm.Resource().Attributes().PutStr("service.instance.id", p.name)
		to := rm.ScopeMetrics().AppendEmpty().Metrics()
		f.add(to, p, telemetry.GoroutineCreations, p.births)
		f.add(to, p, telemetry.ProcessBuild, 1).PutStr(telemetry.AttrBuildID, p.version)
		stack := func(name string, n int) pcommon.Map {
			attributes := f.add(to, p, name, float64(n))
			attributes.PutStr(telemetry.AttrSignature, "23674ceb13919c2c")
			attributes.PutStr(telemetry.AttrState, "chan_send")
			attributes.PutStr(telemetry.AttrFunction, "shop/order.ask")
			attributes.PutStr(telemetry.AttrFile, "/src/order.go")
			attributes.PutInt(telemetry.AttrLine, 88)
			attributes.PutStr(telemetry.AttrEntry, "shop/order.ask")
			return attributes
		}
		stack(telemetry.StackCount, len(p.leaked))
		stack(telemetry.StackAgedExits, 0).PutDouble(telemetry.AttrAgeMin, agedAfter.Seconds())
		older := 0
		for _, times := range []time.Duration{64, 32, 8, 1} {
			n := p.olderThan(f.now, times*agedAfter)
			stack(telemetry.StackAgedCount, n-older).PutDouble(telemetry.AttrAgeMin, (times * agedAfter).Seconds())
			older = n
		}
	}
	return md
}

// add adds a metric with one point, and returns its attributes.
func (f *fleet) add(to pmetric.MetricSlice, p *instance, name string, value float64) pcommon.Map {
	m := to.AppendEmpty()
	m.SetName(name)
	sum := m.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(name == telemetry.GoroutineCreations || name == telemetry.StackAgedExits)
	point := sum.DataPoints().AppendEmpty()
	point.SetStartTimestamp(pcommon.NewTimestampFromTime(p.start))
	point.SetTimestamp(pcommon.NewTimestampFromTime(f.now))
	point.SetIntValue(int64(value))
	return point.Attributes()
}

// play sends the metrics of some minutes through the chain.
func (c *chain) play(t *testing.T, f *fleet, minutes int) {
	t.Helper()
	for range minutes {
		f.advance()
		require.NoError(t, c.ConsumeMetrics(t.Context(), f.census()))
		time.Sleep(time.Minute)
	}
}

// deploy replaces all processes one by one, two minutes apart.
func (c *chain) deploy(t *testing.T, f *fleet, version string) {
	t.Helper()
	for slot := range f.live {
		f.start(slot, version)
		c.play(t, f, 2)
	}
}

// TestChain runs deploys through the real processor and the real connector, and checks the changes of the leak:
// with processes that keep their names or not, and with services judged or not.
func TestChain(t *testing.T) {
	for _, test := range []struct {
		name              string
		services, renamed bool
		replicas          int
		rate              float64
		within            int // minutes after the deploy
	}{
		{"targets", true, false, 5, 12, 60},
		{"pods", true, true, 5, 12, 60},
		{"few in each", true, true, 5, 3, 120},
		{"alone, services are not judged", false, false, 1, 60, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChain(t, test.services)
				f := &fleet{
					r: rand.New(rand.NewPCG(1, 2)), rate: test.rate, burst: 1, renamed: test.renamed, step: time.Minute,
					now: epoch, leaks: map[string]float64{"v1": 1, "v2": 1, "v4": 1},
				}
				for slot := range test.replicas {
					f.start(slot, "v1")
				}
				c.play(t, f, 5*60)
				assert.Equal(t, []string{"detected"}, c.changes())
				c.deploy(t, f, "v2") // repairs nothing
				c.play(t, f, 4*60)
				assert.Equal(t, []string{"detected"}, c.changes())
				c.deploy(t, f, "v3")
				c.play(t, f, test.within)
				require.Equal(t, []string{"detected", "closed_by_version"}, c.changes())
				records := c.records()
				by, _ := records[len(records)-1].Attributes().Get(telemetry.AttrLeakVersionClosedBy)
				assert.Equal(t, "v3", by.Str())
				c.play(t, f, 24*60)
				assert.Equal(t, []string{"detected", "closed_by_version"}, c.changes())
				c.deploy(t, f, "v4")
				c.play(t, f, 5*60)
				assert.Equal(t, []string{"detected", "closed_by_version", "regressed"}, c.changes())
			})
		})
	}
}

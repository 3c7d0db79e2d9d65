package leakdetect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// replicas returns the data of n instances of a service. The first leaks.
func replicas(n int, at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i := range n {
		s := newFakeProcess("shop")
		one := s.census(at, steady("app.worker", "app.pool", 40))
		if i == 0 {
			one = s.census(at, leaking("app.leak.func1", "app.main", at, 3), steady("app.worker", "app.pool", 40))
		}
		resource := one.ResourceMetrics().At(0).Resource().Attributes()
		resource.PutStr("service.instance.id", fmt.Sprint("shop-", i))
		resource.PutStr("host.name", fmt.Sprint("host-", i))
		resource.PutStr("deployment.environment.name", "production")
		one.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	}
	return md
}

// playReplicas returns the flags of services after two hours.
func playReplicas(r *rig) flags {
	var found flags
	for after := time.Minute; after <= 2*time.Hour; after += time.Minute {
		r.sink.Reset()
		require.NoError(r.t, r.processor.ConsumeMetrics(r.t.Context(), replicas(4, epoch.Add(after))))
		found = takeServiceFlags(r.sink.AllMetrics()[0])
	}
	return found
}

func TestServiceHasItsOwnResource(t *testing.T) {
	r := newRig(t, shortLives)
	found := playReplicas(r)
	values := make(map[string]float64)
	for _, f := range found {
		values[f.metric] = f.value
		assert.Equal(t, "shop", f.service)
		assert.Equal(t, epoch.Add(2*time.Hour), f.at)
		if f.metric == telemetry.ServiceInstanceCount {
			assert.Zero(t, f.attributes.Len())
			continue
		}
		id := valueOf(f.attributes, telemetry.AttrLeakID)
		assert.Regexp(t, "^[0-9a-f]{16}$", id)
		assert.Equal(t, map[string]any{
			telemetry.AttrState: "chan_receive", telemetry.AttrFunction: "app.leak.func1", telemetry.AttrEntry: "app.main",
			telemetry.AttrLeakID: id,
		}, f.attributes.AsRaw())
	}
	assert.InDelta(t, 327, values[telemetry.ServiceLeakCount], 3, "goroutines since the first scrape; of some instances at the previous scrape")
	assert.InDelta(t, 180, values[telemetry.ServiceLeakGrowthRate], 20)
	delete(values, telemetry.ServiceLeakCount)
	delete(values, telemetry.ServiceLeakGrowthRate)
	assert.Equal(t, map[string]float64{
		telemetry.ServiceLeakSeverity: probable, telemetry.ServiceLeakInstanceCount: 1, telemetry.ServiceInstanceCount: 4,
	}, values)
	md := r.sink.AllMetrics()[0]
	assert.Equal(t, 4, md.ResourceMetrics().Len())
	for _, f := range takeFlags(md) {
		assert.Equal(t, found[0].attributes.AsRaw()[telemetry.AttrLeakID], f.attributes.AsRaw()[telemetry.AttrLeakID], "one leak")
	}
}

func TestServicesDisabled(t *testing.T) {
	r := newRig(t, shortLives, func(c *Config) { c.Services = false })
	assert.Empty(t, playReplicas(r))
	flags := takeFlags(r.sink.AllMetrics()[0])
	assert.Equal(t, probable, flags.severity("app.leak.func1"))
	ids := make(map[string]bool)
	for _, f := range flags {
		if f.metric == telemetry.LeakSeverity {
			ids[valueOf(f.attributes, telemetry.AttrLeakID)] = true
		}
	}
	assert.Len(t, ids, 1, "still one leak of the service")
}

func TestServiceNeedsAName(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("service.namespace", "prod")
	_, named := serviceOf(m)
	assert.False(t, named)
	m.PutStr("service_name", "shop") // from Prometheus
	m.PutStr("service.version", "1.2.3")
	service, named := serviceOf(m)
	assert.True(t, named)
	assert.Equal(t, map[string]any{"service.namespace": "prod", "service.name": "shop"}, service.AsRaw())
}

// TestFindingIDs checks that the ID of a finding survives a deploy: it depends neither on lines nor
// on the numbers of closures.
func TestFindingIDs(t *testing.T) {
	id := func(service detect.ID, kind detect.Kind, state, function, entry string) detect.ID {
		m := pcommon.NewMap()
		for key, value := range map[string]string{telemetry.AttrState: state, telemetry.AttrFunction: function, telemetry.AttrEntry: entry} {
			if value != "" {
				m.PutStr(key, value)
			}
		}
		a, ok := readAttributes(watchedMetric{kind: kind, part: detect.Count}, m)
		require.True(t, ok)
		return a.findingID(service, kind)
	}
	first := id(1, detect.Stack, "select", "main.run.func1", "main.run.gowrap2")
	assert.Equal(t, detect.ID(0x82082312e481313f), first, "if it changes, increment findingVersion in internal/detect")
	for _, same := range [][2]string{
		{"main.run.func12", "main.run.gowrap1"},
		{"main.run.func1.2", "main.run.gowrap2"},
		{"main.run.func1.2.3", "main.run.gowrap2"},
	} {
		assert.Equal(t, first, id(1, detect.Stack, "select", same[0], same[1]), same)
	}
	for i, other := range []detect.ID{
		id(2, detect.Stack, "select", "main.run.func1", "main.run.gowrap2"),
		id(1, detect.Entry, "select", "main.run.func1", "main.run.gowrap2"),
		id(1, detect.Stack, "chan_send", "main.run.func1", "main.run.gowrap2"),
		id(1, detect.Stack, "select", "main.run2.func1", "main.run.gowrap2"),
		id(1, detect.Stack, "select", "main.run.func1.retry", "main.run.gowrap2"),
		id(1, detect.Stack, "select", "main.run", "main.run.gowrap2"),
		id(1, detect.Stack, "select", "main.run.func1", ""),
		id(1, detect.Stack, "selectmain.run.func1", "", "main.run.gowrap2"),
		id(1, detect.Stack, "select", "main.v1.run.func1", "main.run.gowrap2"),
	} {
		assert.NotEqual(t, first, other, i)
	}
	assert.NotEqual(t, id(1, detect.Stack, "", "main.v1.run", ""), id(1, detect.Stack, "", "main.v2.run", ""))
}

package alerts

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
	"github.com/otel-goroutine/otel-goroutine/semconv"
)

// TestNamesInPrometheus sends a point of every metric through exporters with default settings and by OTLP,
// and compares the names in Prometheus with those that the rules use.
func TestNamesInPrometheus(t *testing.T) {
	t.Parallel()
	w := newCollector(t)
	written := startPrometheus(t, byRemoteWrite, renderRules(t, defaultNaming), noAlertmanager)
	backends := map[string]map[string]*backend{defaultNaming: {
		byScraping:    startPrometheus(t, byScraping, renderRules(t, defaultNaming), noAlertmanager, w.metrics),
		byRemoteWrite: written,
	}}
	pushTo := []*backend{written}
	if hasOTLPPrometheus(t) {
		for _, naming := range append([]string{defaultNaming}, otherNamings...) {
			b := startOTLPPrometheus(t, naming, renderRules(t, naming), noAlertmanager)
			if backends[naming] == nil {
				backends[naming] = map[string]*backend{}
			}
			backends[naming][byOTLP] = b
			pushTo = append(pushTo, b)
		}
	}
	w.watch(t, []target{{"down", loopback.FreeAddress(t)}}, pushTo...)

	metrics := everyMetric(t)
	for naming, by := range backends {
		var want []string
		for _, m := range metrics {
			name, err := m.InPrometheus(semconv.Naming(naming))
			require.NoError(t, err)
			want = append(want, name)
		}
		slices.Sort(want)
		for via, b := range by {
			var got []string
			await(t, 20*time.Second, naming+" by "+via, func() bool {
				// The prometheus exporter drops metrics that it receives no more.
				require.NoError(t, w.push(pointOfEach(metrics)))
				got = b.namesOf(t, "names")
				return len(got) >= len(want)
			})
			assert.Equal(t, want, got, "%s by %s", naming, via)
		}
	}
}

// everyMetric returns the metrics of this project and others that its rules and dashboards use.
func everyMetric(t *testing.T) []semconv.Metric {
	t.Helper()
	registry, err := semconv.Load()
	require.NoError(t, err)
	return append(registry.Metrics, semconv.Metric{Name: "go.memory.used", Instrument: "updowncounter", Unit: "By"})
}

// pointOfEach returns a point of each metric for the service names.
func pointOfEach(metrics []semconv.Metric) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "names")
	now := pcommon.NewTimestampFromTime(time.Now())
	to := rm.ScopeMetrics().AppendEmpty().Metrics()
	for _, metric := range metrics {
		m := to.AppendEmpty()
		m.SetName(metric.Name)
		m.SetUnit(metric.Unit)
		var p pmetric.NumberDataPoint
		if metric.Instrument == "gauge" {
			p = m.SetEmptyGauge().DataPoints().AppendEmpty()
		} else {
			sum := m.SetEmptySum()
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			sum.SetIsMonotonic(metric.Instrument == "counter")
			p = sum.DataPoints().AppendEmpty()
		}
		p.SetStartTimestamp(now - 1e9)
		p.SetTimestamp(now)
		p.SetIntValue(1)
	}
	return md
}

// namesOf returns the metric names of a service.
func (b *backend) namesOf(t *testing.T, service string) []string {
	t.Helper()
	names := map[string]bool{}
	// The label job is service.name. target_info has the resource attributes.
	for _, s := range b.query(t, `{__name__!~"target_info|ALERTS.*",job="`+service+`"}`) {
		names[s.Metric["__name__"]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

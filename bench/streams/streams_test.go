package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestSmallFleets measures fleets of a few processes. Times are too short to check.
func TestSmallFleets(t *testing.T) {
	r, err := measureAll([]int{400, 2000}, 2000)
	require.NoError(t, err)
	require.Len(t, r.Growth, 2)
	assert.InDelta(t, 2000, r.Growth[1].Number, 200)
	values := make(map[string]float64)
	for _, row := range r.Rows {
		values[row.Name] = row.Value
	}
	assert.InDelta(t, 4, values["streams of a group of goroutines"], 1)
	assert.InDelta(t, 500, values["memory of a group"], 300)
	assert.InDelta(t, 400, values["state of a group"], 200)
}

// TestDetectorFlagsTheLeakingProgram checks that only the service of the leaking program is flagged, and the number of
// groups.
func TestDetectorFlagsTheLeakingProgram(t *testing.T) {
	f := newFleet(1_000_000, false)
	f.processes = programs * instances
	var sink consumertest.MetricsSink
	p, err := newDetector(f, &sink)
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Shutdown(t.Context())) }()
	require.NoError(t, f.warm(p))
	_, err = f.steady(p)
	require.NoError(t, err)
	flagged := make(map[string]bool)
	for _, md := range sink.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Name() == telemetry.LeakSeverity {
						service, _ := rm.Resource().Attributes().Get("service.name")
						flagged[service.Str()] = true
					}
				}
			}
		}
	}
	assert.Equal(t, map[string]bool{"service-0": true}, flagged)
	groups := 0
	for _, m := range f.batches[0][warmScrapes].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == telemetry.StackCount || m.Name() == telemetry.EntryCount {
			groups += m.Sum().DataPoints().Len()
		}
	}
	assert.Equal(t, groupsOfProcess, groups)
}

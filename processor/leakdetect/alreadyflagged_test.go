package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

// createNamed creates another processor with this name. It returns its log and its consume function.
func (r *rig) createNamed(name string, change ...func(*Config)) (*observer.ObservedLogs, func(pmetric.Metrics) pmetric.Metrics) {
	core, logs := observer.New(zap.WarnLevel)
	set := metadatatest.NewSettings(r.telemetry)
	set.Logger, set.ID = zap.New(core), component.NewIDWithName(metadata.Type, name)
	p := r.create(set, change...)
	return logs, func(md pmetric.Metrics) pmetric.Metrics {
		r.sink.Reset()
		require.NoError(r.t, p.ConsumeMetrics(r.t.Context(), md))
		return r.sink.AllMetrics()[0]
	}
}

// TestTwoInOnePipeline checks that the second of two processors flags only what the first does not,
// logs once that there are two, and duplicates no stream.
func TestTwoInOnePipeline(t *testing.T) {
	r := newRig(t)
	firstLogs, first := r.createNamed("first", shortLives, func(c *Config) { c.Overrides = []Override{{Service: "billing", MinLeaked: 1 << 30}} })
	secondLogs, second := r.createNamed("second", shortLives)
	flaggedBy := make(map[string]bool)
	for after := time.Minute; after <= 2*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		md := newFakeProcess("shop").census(at, leaking("app.leak", "app.main", at, 3))
		newFakeProcess("billing").census(at, leaking("app.leak", "app.main", at, 3)).ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
		once := pmetric.NewMetrics()
		first(md).CopyTo(once)
		twice := second(md)
		for i, rm := range twice.ResourceMetrics().All() {
			scopes := 0
			for _, sm := range rm.ScopeMetrics().All() {
				if sm.Scope().Name() == metadata.ScopeName {
					scopes++
				}
			}
			assert.LessOrEqual(t, scopes, 1, "flags of resource %d", i)
		}
		for _, f := range takeFlags(once) {
			flaggedBy["first "+f.service] = true
		}
		for _, f := range takeFlags(twice) {
			flaggedBy["last "+f.service] = true
		}
	}
	assert.Equal(t, map[string]bool{"first shop": true, "last shop": true, "last billing": true}, flaggedBy)
	assert.Zero(t, firstLogs.FilterMessageSnippet("judged twice").Len())
	assert.Equal(t, 1, secondLogs.FilterMessageSnippet("judged twice").Len())
}

// TestServicesOfTwoInOnePipeline checks that flags of services are not duplicated either.
func TestServicesOfTwoInOnePipeline(t *testing.T) {
	r := newRig(t)
	_, first := r.createNamed("first", shortLives)
	_, second := r.createNamed("second", shortLives)
	points := 0
	for after := time.Minute; after <= 2*time.Hour; after += time.Minute {
		points = 0
		for _, f := range takeServiceFlags(second(first(replicas(4, epoch.Add(after))))) {
			if f.metric == telemetry.ServiceLeakSeverity {
				points++
			}
		}
	}
	assert.Equal(t, 1, points)
}

// TestTelemetryOfTwo checks that two processors in separate pipelines have separate telemetry.
func TestTelemetryOfTwo(t *testing.T) {
	r := newRig(t)
	aLogs, a := r.createNamed("a")
	bLogs, b := r.createNamed("b")
	a(newFakeProcess("shop").counts(epoch, steady("app.worker", "app.pool", 40)))
	b(newFakeProcess("shop").counts(epoch, steady("app.worker", "app.pool", 40), steady("app.reader", "app.pool", 40)))
	streams := sums(r.telemetry, "streams", "processor")
	assert.EqualValues(t, 1, streams["leak_detect/a"])
	assert.EqualValues(t, 2, streams["leak_detect/b"])
	assert.Zero(t, aLogs.Len()+bLogs.Len())
}

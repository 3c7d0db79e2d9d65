package leakdetect

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// TestOneScopePerLeakingResource checks findings that are not in the order of resources. Each resource
// with findings gets one scope.
func TestOneScopePerLeakingResource(t *testing.T) {
	md := pmetric.NewMetrics()
	for range 3 {
		md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	}
	newFinding := func(resource int, kind detect.Kind, leaked float64) finding {
		return finding{
			resourceIndex: resource, attributes: pcommon.NewMap(),
			Verdict: detect.Verdict{Kind: kind, At: epoch.UnixNano(), Severity: growth.Probable, Leaked: leaked, Since: epoch.UnixNano(), Aged: kind == detect.Stack},
		}
	}
	appendFindings(md, &batch{findings: []finding{
		newFinding(2, detect.Stack, 2.6), newFinding(0, detect.Stack, 1), newFinding(2, detect.Memory, 1),
		newFinding(0, detect.Entry, 1), newFinding(2, detect.Stack, 3),
	}}, "1.2.3")

	metrics := func(i int) []string {
		scopes := md.ResourceMetrics().At(i).ScopeMetrics()
		require.Equal(t, 2, scopes.Len())
		assert.Equal(t, metadata.ScopeName, scopes.At(1).Scope().Name())
		assert.Equal(t, "1.2.3", scopes.At(1).Scope().Version())
		var names []string
		for _, m := range scopes.At(1).Metrics().All() {
			names = append(names, m.Name())
		}
		return names
	}
	goroutine := []string{"goroutine.leak.severity", "goroutine.leak.count", "goroutine.leak.growth_rate", "goroutine.leak.start_time", "goroutine.leak.age.min", "goroutine.leak.exits"}
	memory := []string{"memory.leak.severity", "memory.leak.size", "memory.leak.growth_rate"}
	assert.Equal(t, goroutine, metrics(0))
	assert.Equal(t, 1, md.ResourceMetrics().At(1).ScopeMetrics().Len())
	assert.Equal(t, append(goroutine, memory...), metrics(2))

	counts := md.ResourceMetrics().At(2).ScopeMetrics().At(1).Metrics().At(1).Gauge().DataPoints()
	require.Equal(t, 2, counts.Len())
	assert.EqualValues(t, 3, counts.At(0).IntValue(), "rounded")
	assert.Equal(t, epoch, counts.At(0).Timestamp().AsTime())
}

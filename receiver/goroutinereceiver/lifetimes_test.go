package goroutinereceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestLifetimesAsAHistogram checks the buckets of known lifetimes, including those at bounds.
func TestLifetimesAsAHistogram(t *testing.T) {
	var lives, fewer exectrace.Lifetimes
	for _, d := range []time.Duration{
		time.Nanosecond, 4 * time.Microsecond, 5 * time.Microsecond, time.Millisecond, time.Millisecond,
		1024 * time.Microsecond, 1025 * time.Microsecond, 10 * time.Second, time.Hour,
	} {
		lives.Add(d)
	}
	fewer.Add(time.Second)
	l := lifetimes{start: 1, at: 2}
	l.add("main.b", &fewer)
	l.add("main.a", &fewer)
	l.add("main.a", &lives)
	l.add("main.a", &fewer)
	l.add("", &lives)
	metrics := pmetric.NewMetrics()
	metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	l.appendTo(metrics)
	m := metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	assert.Equal(t, telemetry.OriginLifetime, m.Name())
	require.Equal(t, 2, m.Histogram().DataPoints().Len())
	p := m.Histogram().DataPoints().At(0)
	entry, _ := p.Attributes().Get(telemetry.AttrEntry)
	assert.Equal(t, "main.a", entry.Str())
	assert.InDeltaSlice(t, []float64{4e-6, 1.6e-5, 6.4e-5, 2.56e-4, 1.024e-3, 4.096e-3, 1.6384e-2, 6.5536e-2, 0.262144, 1.048576, 4.194304, 16.777216},
		p.ExplicitBounds().AsRaw(), 1e-12)
	assert.Equal(t, []uint64{2, 1, 0, 0, 3, 1, 0, 0, 0, 0, 0, 1, 1}, p.BucketCounts().AsRaw())
	assert.EqualValues(t, 9, p.Count())
	assert.EqualValues(t, 1, p.StartTimestamp())
	assert.EqualValues(t, 2, p.Timestamp())

	empty := pmetric.NewMetrics()
	l.appendTo(empty)
	assert.Zero(t, empty.MetricCount(), "all metrics are switched off")
}

package leakdetect

import (
	"slices"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestNamesFromPrometheusAreWatched translates the name of each watched metric by every strategy of
// the library that Prometheus and the collector's exporters use.
func TestNamesFromPrometheusAreWatched(t *testing.T) {
	metrics := map[string]otlptranslator.Metric{"go.memory.used": {Name: "go.memory.used", Unit: telemetry.UnitBytes, Type: otlptranslator.MetricTypeNonMonotonicCounter}}
	for _, name := range []string{
		telemetry.GoroutineCount,
		telemetry.StackCount, telemetry.StackAgedCount, telemetry.StackLeakedCount,
		telemetry.EntryCount, telemetry.EntryAgedCount,
	} {
		metrics[name] = otlptranslator.Metric{Name: name, Unit: telemetry.UnitGoroutine, Type: otlptranslator.MetricTypeNonMonotonicCounter}
	}
	for _, name := range []string{telemetry.StackAgedExits, telemetry.EntryAgedExits} {
		metrics[name] = otlptranslator.Metric{Name: name, Unit: telemetry.UnitGoroutine, Type: otlptranslator.MetricTypeMonotonicCounter}
	}
	all := watchedMetrics(defaultConfig())
	known := []string{prometheusGoroutines, "go_memstats_heap_inuse_bytes"}
	for name, m := range metrics {
		require.Contains(t, all, name)
		for _, strategy := range []otlptranslator.TranslationStrategyOption{
			otlptranslator.UnderscoreEscapingWithSuffixes,
			otlptranslator.UnderscoreEscapingWithoutSuffixes,
			otlptranslator.NoUTF8EscapingWithSuffixes,
			otlptranslator.NoTranslation,
		} {
			namer := otlptranslator.NewMetricNamer("", strategy)
			translated, err := namer.Build(m)
			require.NoError(t, err)
			require.Contains(t, all, translated, strategy)
			assert.Equal(t, all[name].kind, all[translated].kind)
			assert.Equal(t, all[name].part, all[translated].part)
			known = append(known, translated)
		}
	}
	for name := range all {
		assert.True(t, slices.Contains(known, name), "%s is not the name of any metric", name)
	}
}

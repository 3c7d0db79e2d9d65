package leakdetect

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// sampleBatch returns the data of two services: one leaks goroutines and memory beside healthy
// groups, the other is healthy.
func sampleBatch(at time.Time) pmetric.Metrics {
	shop, billing := newFakeProcess("shop"), newFakeProcess("billing")
	other := steady("", telemetry.SignatureOther, 3)
	other.signature = telemetry.SignatureOther
	md := shop.census(at, leaking("app.leak", "app.main", at, 3), steady("app.worker", "app.pool", 40), other)
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	memory := shop.point(shop.level(metrics, "go.memory.used"), at, int(at.Sub(epoch).Minutes())*4<<20)
	shop.put(memory, "go.memory.type", "other")
	unwatched := metrics.AppendEmpty()
	unwatched.SetName("http.server.request.duration")
	h := unwatched.SetEmptyHistogram().DataPoints().AppendEmpty()
	h.SetCount(7)
	h.Exemplars().AppendEmpty().SetDoubleValue(0.25)
	billing.stacks(billing.resource(md), at, true, steady("app.worker", "app.pool", 12))
	return md
}

// TestGolden compares the output after 90 minutes with a golden file. If UPDATE_GOLDEN is set, it
// writes the file.
func TestGolden(t *testing.T) {
	r := newRig(t, shortLives)
	var last pmetric.Metrics
	for after := time.Duration(0); after <= 90*time.Minute; after += time.Minute {
		r.sink.Reset()
		require.NoError(t, r.processor.ConsumeMetrics(t.Context(), sampleBatch(epoch.Add(after))))
		last = r.sink.AllMetrics()[0]
	}
	path := filepath.Join("testdata", "flagged.yaml")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		yaml, err := golden.MarshalMetricsYAML(last)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, yaml, 0o600))
	}
	want, err := golden.ReadMetrics(path)
	require.NoError(t, err)
	require.NoError(t, pmetrictest.CompareMetrics(want, last))
}

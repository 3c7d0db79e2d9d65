package goroutinereceiver

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// TestFailuresCountSinceStart fails a target in several ways, and restarts its process.
func TestFailuresCountSinceStart(t *testing.T) {
	read := func(name string) []byte {
		trace, err := os.ReadFile(filepath.Join("..", "..", "internal", "exectrace", "testdata", name))
		require.NoError(t, err)
		return trace
	}
	status, body := http.StatusOK, read("go1.25.trace")
	before := time.Now()
	cfg := testConfig(targetAt(serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		respondAlways(status, nil, body).ServeHTTP(w, request)
	})), func(c *TargetConfig) { c.Capture = CaptureTrace }))
	r, _ := newIdleReceiver(t, cfg)
	after := time.Now()
	scrape := func(s int, b []byte) scraped {
		status, body = s, b
		return scrapeOf(t, r.targets[0])
	}

	first := scrape(http.StatusOK, read("go1.25.trace"))
	require.True(t, first.up())
	assert.Len(t, first.points(telemetry.ScrapeFailures), len(metadata.MapAttributeErrorType), "each error type")
	assert.Zero(t, first.failures())
	start := first.points(telemetry.ScrapeFailures)[0].StartTimestamp()
	assert.LessOrEqual(t, pcommon.NewTimestampFromTime(before), start)
	assert.GreaterOrEqual(t, pcommon.NewTimestampFromTime(after), start)

	scrape(http.StatusNotFound, nil)
	scrape(http.StatusNotFound, nil)
	scrape(http.StatusForbidden, nil)
	last := scrape(http.StatusOK, read("go1.26.trace"))
	require.True(t, last.up())
	require.NotEqual(t, startOfProcess(first), startOfProcess(last), "another process")
	assert.EqualValues(t, 2, last.failures("http_status"))
	assert.EqualValues(t, 1, last.failures("unauthorized"))
	assert.EqualValues(t, 3, last.failures())
	for _, p := range last.points(telemetry.ScrapeFailures) {
		assert.Equal(t, start, p.StartTimestamp())
	}
}

func startOfProcess(s scraped) pcommon.Timestamp {
	return s.points(telemetry.StackAgedExits)[0].StartTimestamp()
}

// TestMetricsOfFailedScrape checks the metrics of a failed scrape.
func TestMetricsOfFailedScrape(t *testing.T) {
	r, _ := newIdleReceiver(t, testConfig(targetAt(unusedAddress(t))))
	s := scrapeOf(t, r.targets[0])
	for _, m := range s.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		switch m.Name() {
		case telemetry.ScrapeUp:
			assert.Equal(t, telemetry.UnitTarget, m.Unit())
			require.Equal(t, 1, m.Gauge().DataPoints().Len())
			assert.Zero(t, m.Gauge().DataPoints().At(0).Attributes().Len())
			assert.Zero(t, m.Gauge().DataPoints().At(0).IntValue())
		case telemetry.ScrapeFailures:
			assert.Equal(t, telemetry.UnitScrape, m.Unit())
			assert.True(t, m.Sum().IsMonotonic())
			assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
		case telemetry.ScrapeDuration:
			assert.Equal(t, telemetry.UnitSeconds, m.Unit())
			assert.Equal(t, map[string]any{telemetry.AttrScrapeSource: "trace"}, m.Gauge().DataPoints().At(0).Attributes().AsRaw())
		default:
			assert.Fail(t, "unexpected metric", m.Name())
		}
	}
}

package leakdetect

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

// scraped returns the scrapes of a job by the collector's Prometheus receiver, one per batch. The
// program in testdata/prometheus/make recorded them.
func scraped(t *testing.T, job string) []pmetric.Metrics {
	data, err := os.ReadFile("testdata/prometheus/scraped.jsonl")
	require.NoError(t, err)
	var scrapes []pmetric.Metrics
	for line := range bytes.Lines(data) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		require.Equal(t, 1, md.ResourceMetrics().Len())
		if valueOf(md.ResourceMetrics().At(0).Resource().Attributes(), "service.name") == job {
			scrapes = append(scrapes, md)
		}
	}
	require.NotEmpty(t, scrapes)
	return scrapes
}

// eachPoint calls do for every point of a gauge or sum.
func eachPoint(md pmetric.Metrics, do func(name string, p pmetric.NumberDataPoint)) {
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		points, _, why := numberPoints(m, detect.Exits) // gauges and sums
		if why != detect.OK {
			continue // summary
		}
		for _, p := range points.All() {
			do(m.Name(), p)
		}
	}
}

// removeMetrics removes metrics from a batch.
func removeMetrics(md pmetric.Metrics, prefix string) {
	md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().RemoveIf(func(m pmetric.Metric) bool {
		return strings.HasPrefix(m.Name(), prefix)
	})
}

// replayed returns a scrape at another minute, with leaked goroutines added.
func replayed(scrape pmetric.Metrics, minute, leaked int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	scrape.CopyTo(md)
	eachPoint(md, func(name string, p pmetric.NumberDataPoint) {
		p.SetTimestamp(stamp(epoch.Add(time.Duration(minute) * time.Minute)))
		switch name {
		case "go_goroutines", "goroutine_stack_count":
			p.SetDoubleValue(p.DoubleValue() + float64(leaked))
		case "goroutine_stack_aged_count":
			p.SetDoubleValue(p.DoubleValue() + float64(max(0, leaked-30)))
		}
	})
	return md
}

// TestScrapedByPrometheusReceiver checks assumptions about the data of the Prometheus receiver.
func TestScrapedByPrometheusReceiver(t *testing.T) {
	for _, md := range scraped(t, "shop") {
		attributes := md.ResourceMetrics().At(0).Resource().Attributes()
		assert.Regexp(t, `^127\.0\.0\.1:\d+$`, valueOf(attributes, "service.instance.id"))
		names := make(map[string]bool)
		eachPoint(md, func(name string, p pmetric.NumberDataPoint) {
			names[name] = true
			assert.Zero(t, p.StartTimestamp(), name)
		})
		for _, name := range []string{"up", "go_goroutines", "go_memstats_heap_inuse_bytes", "goroutine_stack_aged_exits_total"} {
			assert.True(t, names[name], name)
		}
	}
}

func TestLeakScrapedByPrometheusReceiver(t *testing.T) {
	scrapes := scraped(t, "shop")
	last := scrapes[len(scrapes)-1]
	for name, tc := range map[string]struct {
		who      string
		metrics  string // removed
		severity int
		after    time.Duration
	}{
		"the number of goroutines": {"total", "goroutine_", 1, 2 * time.Hour},
		"a census":                 {"main.waitForReply", "go_goroutines", 2, 90 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, shortLives)
			healthy := newRig(t, shortLives)
			first := time.Duration(0)
			for minute := range 180 {
				leaking, steady := replayed(last, minute, 3*minute), replayed(last, minute, 0)
				removeMetrics(leaking, tc.metrics)
				removeMetrics(steady, tc.metrics)
				found := r.consume(leaking)
				if found.severity(tc.who) >= tc.severity && first == 0 {
					first = time.Duration(minute) * time.Minute
				}
				for _, f := range found {
					assert.Equal(t, tc.who, f.who(), "%s is flagged", f.who())
				}
				require.Empty(t, healthy.consume(steady))
			}
			assert.NotZero(t, first, "not flagged")
			assert.LessOrEqual(t, first, tc.after)
		})
	}
}

// TestStoppedTarget checks that stale markers are passed on and counted as points without value. A
// stopped target sends nothing else except that it is down.
func TestStoppedTarget(t *testing.T) {
	scrapes := scraped(t, "billing")
	r := newRig(t, shortLives)
	stale := 0
	for minute, scrape := range scrapes {
		eachPoint(scrape, func(name string, p pmetric.NumberDataPoint) {
			if _, isWatched := watchedMetrics(defaultConfig())[name]; isWatched && p.Flags().NoRecordedValue() {
				stale++
			}
		})
		require.Empty(t, r.consume(replayed(scrape, minute, 0)))
	}
	assert.Equal(t, 5, stale, "the number, the heap and the three of the census")
	r.assertBad(map[detect.Reason]int64{noValue: int64(stale)})
	assert.Equal(t, 4, r.streams(), "the number, the heap, the census and that of the service")
}

// TestFlagOverGapOfPrometheus checks that a flag survives failed scrapes of its target.
func TestFlagOverGapOfPrometheus(t *testing.T) {
	scrapes, gone := scraped(t, "shop"), scraped(t, "billing")
	last := scrapes[len(scrapes)-1]
	staleness := gone[len(gone)-3]
	last.ResourceMetrics().At(0).Resource().CopyTo(staleness.ResourceMetrics().At(0).Resource())
	r := newRig(t, shortLives)
	for minute := range 120 {
		r.consume(replayed(last, minute, 3*minute))
	}
	for _, f := range r.consume(replayed(staleness, 120, 0)) {
		assert.NotZero(t, f.value, "%s of %s", f.metric, f.who())
	}
	for minute := 126; minute < 140; minute++ {
		assert.Equal(t, 2, r.consume(replayed(last, minute, 3*minute)).severity("main.waitForReply"))
	}
}

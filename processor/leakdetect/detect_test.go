package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

const (
	suspected = 1
	probable  = 2
)

// TestTimeToProbable checks a leak of one goroutine per minute with a max_lifetime of 12 h. The
// formula of max_lifetime gives 100 minutes, plus 10 until the first goroutines are aged.
func TestTimeToProbable(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	at, ok := r.play(4*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 1), steady("app.worker", "app.pool", 40))
	})
	require.True(t, ok)
	assert.GreaterOrEqual(t, at, 100*time.Minute)
	assert.LessOrEqual(t, at, 130*time.Minute)
}

func TestPointsOfFlag(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	var found flags
	var last time.Time
	for after := time.Duration(0); after <= 3*time.Hour; after += time.Minute {
		last = epoch.Add(after)
		found = r.consume(s.census(last, leaking("app.leak", "app.main", last, 1), steady("app.worker", "app.pool", 40)))
	}
	require.Len(t, found, 4, "one group, four metrics: ages are unknown")
	for _, f := range found {
		assert.Equal(t, last, f.at)
		assert.Equal(t, "shop", f.service)
		assert.Regexp(t, "^[0-9a-f]{16}$", valueOf(f.attributes, telemetry.AttrLeakID))
		f.attributes.Remove(telemetry.AttrLeakID)
		assert.Equal(t, map[string]any{
			telemetry.AttrSignature: "sig-app.leak",
			telemetry.AttrState:     "chan_receive",
			telemetry.AttrFunction:  "app.leak",
			telemetry.AttrFile:      "/src/app/main.go",
			telemetry.AttrLine:      int64(42),
			telemetry.AttrEntry:     "app.main",
		}, f.attributes.AsRaw())
	}
	count, _ := found.find("app.leak", "count")
	assert.InDelta(t, 170, count.value, 0, "aged after three hours")
	rate, _ := found.find("app.leak", "growth_rate")
	assert.InDelta(t, 60, rate.value, 6)
}

func TestHealthyIsNotFlagged(t *testing.T) {
	ramp := func(minute int) float64 { return 5 * min(1, float64(minute)/180) }
	flat := func(int) float64 { return 5 }
	for name, next := range map[string]func() group{
		"sessions of 30 minutes in a morning ramp": newSessions(1, 30*time.Minute, ramp).next,
		"sessions of 4 hours in a morning ramp":    newSessions(2, 4*time.Hour, ramp).next,
		"requests of 20 seconds":                   newSessions(3, 20*time.Second, flat).next,
		"pool":                                     func() group { return steady("app.worker", "app.pool", 40) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := newFakeProcess("shop")
			for after := time.Minute; after <= 12*time.Hour; after += time.Minute {
				for _, f := range r.consume(s.census(epoch.Add(after), next())) {
					if f.metric == telemetry.LeakSeverity {
						require.Less(t, f.value, float64(probable), "%s after %v", f.who(), after)
					}
				}
			}
		})
	}
}

func TestGrowthOfCountsIsSuspected(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	highest := 0
	var since time.Duration
	for after := time.Minute; after <= 24*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		highest = max(highest, r.consume(s.counts(at, leaking("app.leak", "app.main", at, 1))).severity("app.leak"))
		if highest > 0 && since == 0 {
			since = after
		}
	}
	assert.Equal(t, suspected, highest)
	assert.Greater(t, since, defaultMaxLifetime, "load may rise for this long")
	assert.Less(t, since, 20*time.Hour)
}

// TestCountsGrowingAgainAfterRestartAreProbable checks that growth of counts that recurs in the next
// process is stronger evidence.
func TestCountsGrowingAgainAfterRestartAreProbable(t *testing.T) {
	r := newRig(t, shortLives)
	s := newFakeProcess("shop")
	_, ok := r.play(4*time.Hour, "app.leak", suspected, func(at time.Time) pmetric.Metrics {
		return s.counts(at, leaking("app.leak", "app.main", at, 1))
	})
	require.True(t, ok)
	s.start = epoch.Add(4*time.Hour + time.Second)
	var at time.Duration
	for at = 4*time.Hour + time.Minute; at < 8*time.Hour; at += time.Minute {
		again := leaking("app.leak", "app.main", epoch.Add(at-4*time.Hour), 1)
		if r.consume(s.counts(epoch.Add(at), again)).severity("app.leak") == probable {
			break
		}
	}
	assert.Less(t, at, 6*time.Hour)
}

// TestRestartEndsFlag checks that the flag of a process ends when a new process starts.
func TestRestartEndsFlag(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	flagged, ok := r.play(4*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 3))
	})
	require.True(t, ok)
	s.start = epoch.Add(flagged + time.Second)
	found := r.consume(s.census(epoch.Add(flagged+time.Minute), steady("app.leak", "app.main", 1)))
	assert.Equal(t, 0, found.severity("app.leak"))
}

// TestFlagEndsWithZeros checks that an ended leak has severity 0 for a while, so that alerts
// resolve, and then no points.
func TestFlagEndsWithZeros(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	flagged, ok := r.play(4*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 3))
	})
	require.True(t, ok)
	var zeros, after int
	for i := 1; i <= 60; i++ {
		ended := steady("app.leak", "app.main", 0)
		ended.exits = 1000 // all
		found := r.consume(s.census(epoch.Add(flagged+time.Duration(i)*time.Minute), ended))
		switch found.severity("app.leak") {
		case 0:
			require.Len(t, found, 3)
			for _, f := range found {
				assert.Zero(t, f.value, f.metric)
			}
			zeros++
		case -1:
			require.Empty(t, found)
			after++
		}
	}
	assert.Equal(t, 15, zeros, "a quarter of an hour")
	assert.Equal(t, 45, after)
}

func TestGrowingMemoryIsFlagged(t *testing.T) {
	r := newRig(t, shortLives)
	s := newFakeProcess("shop")
	data := func(at time.Time) pmetric.Metrics {
		md, metrics := s.batch()
		memory := s.level(metrics, "go.memory.used")
		// 4 MiB per minute, and up to 50 MiB of garbage.
		grown := int(at.Sub(epoch).Minutes()) * 4 << 20
		saw := int(at.Sub(epoch).Minutes()) % 5 * 10 << 20
		s.put(s.point(memory, at, 100<<20+grown+saw), "go.memory.type", "other")
		s.put(s.point(memory, at, 8<<20), "go.memory.type", "stack")
		return md
	}
	after, ok := r.play(2*time.Hour, "go.memory.used", suspected, data)
	require.True(t, ok)
	assert.LessOrEqual(t, after, 85*time.Minute)

	found := r.consume(data(epoch.Add(after + time.Minute)))
	require.Len(t, found, 3)
	size, _ := found.find("go.memory.used", "size")
	assert.Equal(t, telemetry.MemoryLeakSize, size.metric)
	assert.Equal(t, map[string]any{
		"go.memory.type":         "other",
		telemetry.AttrLeakMetric: "go.memory.used",
	}, size.attributes.AsRaw())
	rate, _ := found.find("go.memory.used", "growth_rate")
	assert.InDelta(t, 240<<20, rate.value, 48<<20)
}

// TestMemoryMetricsAreDistinct checks that two metrics of a process are two streams with their
// names.
func TestMemoryMetricsAreDistinct(t *testing.T) {
	r := newRig(t, shortLives)
	s := newFakeProcess("shop")
	data := func(at time.Time) pmetric.Metrics {
		md, metrics := s.batch()
		for _, name := range []string{"go.memory.used", "go_memstats_heap_inuse_bytes"} {
			s.point(s.level(metrics, name), at, int(at.Sub(epoch).Minutes())*4<<20)
		}
		return md
	}
	after, ok := r.play(2*time.Hour, "go.memory.used", suspected, data)
	require.True(t, ok)
	found := r.consume(data(epoch.Add(after + time.Minute)))
	assert.Equal(t, suspected, found.severity("go.memory.used"))
	assert.Equal(t, suspected, found.severity("go_memstats_heap_inuse_bytes"))
	r.assertBad(map[detect.Reason]int64{})
}

func TestLittleMemoryGrowthIsNotFlagged(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	_, ok := r.play(12*time.Hour, "go.memory.used", suspected, func(at time.Time) pmetric.Metrics {
		md, metrics := s.batch()
		s.point(s.level(metrics, "go.memory.used"), at, int(at.Sub(epoch).Minutes())*64<<10)
		return md
	})
	assert.False(t, ok, "45 MiB in twelve hours")
}

func TestMemoryIsNotWatchedWithoutRules(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Memory = nil })
	s := newFakeProcess("shop")
	_, ok := r.play(2*time.Hour, "go.memory.used", 0, func(at time.Time) pmetric.Metrics {
		md, metrics := s.batch()
		s.point(s.level(metrics, "go.memory.used"), at, int(at.Sub(epoch).Minutes())*100<<20)
		return md
	})
	assert.False(t, ok)
}

// TestPrometheusNames detects a leak in metrics with Prometheus' spelling of names and keys.
func TestPrometheusNames(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	s.flat = true
	flagged, ok := r.play(4*time.Hour, "app_leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app_leak", "app_main", at, 3))
	})
	require.True(t, ok)
	assert.LessOrEqual(t, flagged, 90*time.Minute)
}

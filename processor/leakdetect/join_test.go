package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// splitByName splits a batch: the metrics with these names, and the others.
func splitByName(md pmetric.Metrics, names ...string) (pmetric.Metrics, pmetric.Metrics) {
	named := pmetric.NewMetrics()
	md.CopyTo(named)
	isNamed := func(m pmetric.Metric) bool {
		for _, n := range names {
			if m.Name() == n {
				return true
			}
		}
		return false
	}
	keepMetrics(named, isNamed)
	keepMetrics(md, func(m pmetric.Metric) bool { return !isNamed(m) })
	return named, md
}

func keepMetrics(md pmetric.Metrics, wanted func(pmetric.Metric) bool) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool { return !wanted(m) })
		}
	}
}

// TestSplitBatchesAreJoined checks that an observation is joined if a batch processor has put the
// count of a group and its census into different batches.
func TestSplitBatchesAreJoined(t *testing.T) {
	data := func(at time.Time) pmetric.Metrics {
		return newFakeProcess("shop").census(at, leaking("app.leak", "app.main", at, 3))
	}
	whole, ok := newRig(t).play(4*time.Hour, "app.leak", probable, data)
	require.True(t, ok)

	for name, first := range map[string][]string{
		"count first":       {telemetry.StackCount},
		"census first":      {telemetry.StackAgedCount, telemetry.StackAgedExits},
		"exits first":       {telemetry.StackAgedExits},
		"count, aged first": {telemetry.StackCount, telemetry.StackAgedCount},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var when time.Duration
			for when = time.Minute; when < 4*time.Hour; when += time.Minute {
				a, b := splitByName(data(epoch.Add(when)), first...)
				found := append(r.consume(a), r.consume(b)...)
				if f, _ := found.find("app.leak", "severity"); int(f.value) == probable {
					assert.Equal(t, whole, f.at.Sub(epoch), "the verdict has the time of its observation")
					break
				}
			}
			assert.Equal(t, whole+time.Minute, when, "emitted with the next scrape")
			r.assertBad(map[detect.Reason]int64{})
		})
	}
}

// TestTwoResourcesOfOneProcessAreJoined checks a batch with two resource entries of the same process,
// as a batch processor creates it.
func TestTwoResourcesOfOneProcessAreJoined(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	_, ok := r.play(2*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		a, b := splitByName(s.census(at, leaking("app.leak", "app.main", at, 3)), telemetry.StackCount)
		b.ResourceMetrics().MoveAndAppendTo(a.ResourceMetrics())
		return a
	})
	assert.True(t, ok)
}

// TestLostCensus checks that after a lost census the group is judged by its count, at the time of
// the count, once a batch with a later time and another one have been received.
func TestLostCensus(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	data := func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 3))
	}
	flagged, ok := r.play(2*time.Hour, "app.leak", probable, data)
	require.True(t, ok)

	lost := epoch.Add(flagged + time.Minute)
	assert.Empty(t, r.consume(s.counts(lost, leaking("app.leak", "app.main", lost, 3))))
	var times []time.Time
	for i := range 2 {
		for _, f := range r.consume(data(lost.Add(time.Duration(i+1) * time.Minute))) {
			if f.metric == telemetry.LeakSeverity {
				times = append(times, f.at)
				assert.InDelta(t, probable, f.value, 0)
			}
		}
	}
	assert.Equal(t, []time.Time{lost, lost.Add(time.Minute), lost.Add(2 * time.Minute)}, times)
}

// TestCountsAfterCensusAreJudgedAtOnce checks that the processor waits for a census only at first
// when a source falls back from traces to profiles.
func TestCountsAfterCensusAreJudgedAtOnce(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	flagged, ok := r.play(2*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 3))
	})
	require.True(t, ok)
	for i := time.Duration(1); i <= 10; i++ {
		at := epoch.Add(flagged + i*time.Minute)
		f, shown := r.consume(s.counts(at, leaking("app.leak", "app.main", at, 3))).find("app.leak", "severity")
		if i <= 2 {
			assert.False(t, shown, "the census may still come")
			continue
		}
		assert.Equal(t, at, f.at)
	}
}

// deltaExits converts the exits of a batch to delta temporality.
func deltaExits(md pmetric.Metrics, at time.Time, exits int) pmetric.Metrics {
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == telemetry.StackAgedExits {
			m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			p := m.Sum().DataPoints().At(0)
			p.SetStartTimestamp(stamp(at.Add(-time.Minute)))
			p.SetIntValue(int64(exits))
		}
	}
	return md
}

func TestDeltaExitsAcquit(t *testing.T) {
	for name, tc := range map[string]struct {
		exits   int
		flagged bool
	}{
		"no exits": {0, true},
		"exits":    {2, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := newFakeProcess("shop")
			_, ok := r.play(4*time.Hour, "app.leak", suspected, func(at time.Time) pmetric.Metrics {
				return deltaExits(s.census(at, leaking("app.leak", "app.main", at, 3)), at, tc.exits)
			})
			assert.Equal(t, tc.flagged, ok)
			r.assertBad(map[detect.Reason]int64{})
		})
	}
}

// TestCensusEveryOtherTime detects a leak if only every other scrape has a census.
func TestCensusEveryOtherTime(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	_, ok := r.play(2*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		g := leaking("app.leak", "app.main", at, 3)
		if int(at.Sub(epoch).Minutes())%2 == 0 {
			return s.counts(at, g)
		}
		return s.census(at, g)
	})
	assert.True(t, ok)
}

// TestPartsWithDifferentTimestampsAreJoined checks that timestamps that differ by microseconds, as an
// SDK assigns them to instruments, belong to one observation.
func TestPartsWithDifferentTimestampsAreJoined(t *testing.T) {
	data := func(at time.Time) pmetric.Metrics {
		return newFakeProcess("shop").census(at, leaking("app.leak", "app.main", at, 3))
	}
	want, ok := newRig(t).play(4*time.Hour, "app.leak", probable, data)
	require.True(t, ok)

	got, ok := newRig(t).play(4*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		md := data(at)
		for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			at = at.Add(2 * time.Microsecond)
			points := m.Gauge().DataPoints
			if m.Type() == pmetric.MetricTypeSum {
				points = m.Sum().DataPoints
			}
			for _, p := range points().All() {
				p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			}
		}
		return md
	})
	require.True(t, ok)
	assert.Equal(t, want, got)
}

// TestDeltaExitsAndRestarts checks that the start timestamp of a count marks the start of a process,
// and that of a delta does not. The leak is found in each process.
func TestDeltaExitsAndRestarts(t *testing.T) {
	r := newRig(t, shortLives)
	s := newFakeProcess("shop")
	const life = 5 * time.Hour
	for n := range 3 {
		s.start = epoch.Add(time.Duration(n) * life)
		found := false
		for after := time.Minute; after < life; after += time.Minute {
			at := s.start.Add(after)
			md := s.census(at, leaking("app.leak", "app.main", epoch.Add(after), 3))
			deltaExits(md, at, 0)
			found = r.consume(md).severity("app.leak") == probable || found
		}
		assert.True(t, found, "process %d", n+1)
	}
}

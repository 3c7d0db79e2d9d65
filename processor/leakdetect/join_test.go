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

// split cuts a batch in two: the metrics with these names, and the rest.
func split(md pmetric.Metrics, names ...string) (pmetric.Metrics, pmetric.Metrics) {
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
	keep(named, isNamed)
	keep(md, func(m pmetric.Metric) bool { return !isNamed(m) })
	return named, md
}

func keep(md pmetric.Metrics, wanted func(pmetric.Metric) bool) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool { return !wanted(m) })
		}
	}
}

// A batch processor may put the count of a group into one batch and its census
// into another. The observation is whole again when both are there.
func TestSplitBatchesAreJoined(t *testing.T) {
	data := func(at time.Time) pmetric.Metrics {
		return newScene("shop").census(at, leaking("app.leak", "app.main", at, 3))
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
				a, b := split(data(epoch.Add(when)), first...)
				found := append(r.consume(a), r.consume(b)...)
				if f, _ := found.find("app.leak", "severity"); int(f.value) == probable {
					assert.Equal(t, whole, f.at.Sub(epoch), "the verdict has its own time")
					break
				}
			}
			assert.Equal(t, whole+time.Minute, when, "it leaves with the next scrape")
			r.assertBad(map[detect.Reason]int64{})
		})
	}
}

// Two resource entries of the same process in one batch, as a batch processor
// leaves them.
func TestPartsInTwoEntriesOfOneBatchAreJoined(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
	_, ok := r.play(2*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		a, b := split(s.census(at, leaking("app.leak", "app.main", at, 3)), telemetry.StackCount)
		b.ResourceMetrics().MoveAndAppendTo(a.ResourceMetrics())
		return a
	})
	assert.True(t, ok)
}

// A census that is lost once is waited for until a later time has come and a batch more,
// and then its group is judged by its count, at the time of the count.
func TestLostCensusIsNotWaitedForLong(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
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

// A source that falls back from traces to profiles is waited for once only.
func TestCountsAfterACensusAreJudgedAtOnce(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
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

// deltaExits has the exits of a batch be deltas, as some exporters prefer: what was
// added since the point before, with a start of its own each time.
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
			s := newScene("shop")
			_, ok := r.play(4*time.Hour, "app.leak", suspected, func(at time.Time) pmetric.Metrics {
				return deltaExits(s.census(at, leaking("app.leak", "app.main", at, 3)), at, tc.exits)
			})
			assert.Equal(t, tc.flagged, ok)
			r.assertBad(map[detect.Reason]int64{})
		})
	}
}

// A source that can take a trace only every other time still takes a census.
func TestCensusEveryOtherTime(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
	_, ok := r.play(2*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		g := leaking("app.leak", "app.main", at, 3)
		if int(at.Sub(epoch).Minutes())%2 == 0 {
			return s.counts(at, g)
		}
		return s.census(at, g)
	})
	assert.True(t, ok)
}

// An SDK gives each instrument a time of its own, some microseconds after the one
// before it. They are one observation all the same.
func TestPartsStampedOneAfterAnotherAreJoined(t *testing.T) {
	data := func(at time.Time) pmetric.Metrics {
		return newScene("shop").census(at, leaking("app.leak", "app.main", at, 3))
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

// The start of a delta is no start of the process, but that of the count is. A leak is
// found in each life of its process.
func TestDeltaExitsTellOfRestarts(t *testing.T) {
	r := newRig(t, shortLives)
	s := newScene("shop")
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
		assert.True(t, found, "life %d", n+1)
	}
}

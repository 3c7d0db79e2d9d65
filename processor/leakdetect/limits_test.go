package leakdetect

import (
	"context"
	"fmt"
	"maps"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

// sum returns the values of a metric of the processor by its attribute reason, "" if absent.
func (r *rig) sum(name string) map[detect.Reason]int64 { return sums(r.telemetry, name, "reason") }

// sums returns the values above 0 of a metric of the processor by an attribute.
func sums(telemetry *componenttest.Telemetry, name string, by attribute.Key) map[detect.Reason]int64 {
	values := allSums(telemetry, name, by)
	maps.DeleteFunc(values, func(_ detect.Reason, n int64) bool { return n == 0 })
	return values
}

// TestCountersStartAtZero checks that counters exist from the start: the increase of a series misses
// the first event otherwise.
func TestCountersStartAtZero(t *testing.T) {
	r := newRig(t)
	bad := map[detect.Reason]int64{}
	for _, why := range reasons {
		bad[why] = 0
	}
	assert.Equal(t, bad, allSums(r.telemetry, "bad_points", "reason"))
	for _, name := range []string{"failed_batches", "unwatched_points"} {
		assert.Equal(t, map[detect.Reason]int64{"": 0}, allSums(r.telemetry, name, ""), name)
	}
	assert.Empty(t, allSums(r.telemetry, "state_errors", "operation"), "no storage")

	k := newPersistent(t, statetest.New(nil))
	failed := map[detect.Reason]int64{}
	for _, operation := range state.Operations {
		failed[detect.Reason(operation)] = 0
	}
	assert.Equal(t, failed, allSums(k.telemetry, "state_errors", "operation"))
	require.NoError(t, k.shutdown(t.Context()))
}

func allSums(telemetry *componenttest.Telemetry, name string, by attribute.Key) map[detect.Reason]int64 {
	values := map[detect.Reason]int64{}
	m, err := telemetry.GetMetric("otelcol_processor_leak_detect_" + name)
	if err != nil {
		return values // not recorded yet
	}
	var points []metricdata.DataPoint[int64]
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		points = data.DataPoints
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	}
	for _, p := range points {
		if _, ok := p.Attributes.Value("processor"); !ok {
			panic(name + " has no attribute processor")
		}
		why, _ := p.Attributes.Value(by)
		values[detect.Reason(why.AsString())] = p.Value
	}
	return values
}

func (r *rig) streams() int { return int(r.sum("streams")[""]) }

func (r *rig) assertBad(want map[detect.Reason]int64) {
	r.t.Helper()
	assert.Equal(r.t, want, r.sum("bad_points"))
}

// TestBadPoints checks that invalid points are passed on and counted, and affect neither the history
// nor the following points.
func TestBadPoints(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(pmetric.Metric, pmetric.NumberDataPoint)
		why   detect.Reason
	}{
		"not a number": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetDoubleValue(math.NaN()) }, detect.BadValue},
		"infinite":     {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetDoubleValue(math.Inf(1)) }, detect.BadValue},
		"negative":     {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetIntValue(-1) }, detect.BadValue},
		"absurd":       {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetDoubleValue(1e300) }, detect.BadValue},
		"no recorded value": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) {
			p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		}, noValue},
		"empty": {func(m pmetric.Metric, p pmetric.NumberDataPoint) {
			at := p.Timestamp()
			m.Sum().DataPoints().RemoveIf(func(pmetric.NumberDataPoint) bool { return true })
			m.Sum().DataPoints().AppendEmpty().SetTimestamp(at)
		}, noValue},
		"no time":       {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetTimestamp(0) }, detect.BadTimestamp},
		"the last time": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetTimestamp(math.MaxUint64) }, detect.BadTimestamp},
		"year 2100":     {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetTimestamp(stamp(epoch.AddDate(74, 0, 0))) }, detect.BadJump},
		"year 1970":     {func(_ pmetric.Metric, p pmetric.NumberDataPoint) { p.SetTimestamp(1) }, detect.BadJump},
		"an hour before": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) {
			p.SetTimestamp(p.Timestamp() - pcommon.Timestamp(time.Hour))
		}, detect.OutOfOrder},
		"delta level": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) {
			m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		}, badType},
		"counter": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.Sum().SetIsMonotonic(true) }, badType},
		"histogram": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) {
			m.SetEmptyHistogram().DataPoints().AppendEmpty()
		}, badType},
		"summary": {func(m pmetric.Metric, _ pmetric.NumberDataPoint) { m.SetEmptySummary().DataPoints().AppendEmpty() }, badType},
		"many attributes": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) {
			for i := range maxAttributes {
				p.Attributes().PutInt(fmt.Sprint("k", i), 1)
			}
		}, badAttributes},
		"deep attributes": {func(_ pmetric.Metric, p pmetric.NumberDataPoint) {
			v := p.Attributes().PutEmpty("k")
			for range maxDepth + 1 {
				v = v.SetEmptySlice().AppendEmpty().SetEmptyMap().PutEmpty("k")
			}
		}, badAttributes},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, shortLives)
			s := newFakeProcess("shop")
			data := func(at time.Time) pmetric.Metrics {
				return s.counts(at, leaking("app.leak", "app.main", at, 3))
			}
			flagged, ok := r.play(4*time.Hour, "app.leak", suspected, data)
			require.True(t, ok)

			md := data(epoch.Add(flagged + time.Minute))
			m := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
			tc.spoil(m, m.Sum().DataPoints().At(0))
			assert.Empty(t, r.consume(md))
			r.assertBad(map[detect.Reason]int64{tc.why: 1})

			found := r.consume(data(epoch.Add(flagged + 2*time.Minute)))
			assert.Equal(t, suspected, found.severity("app.leak"))
		})
	}
}

func TestUnidentifiableResource(t *testing.T) {
	r := newRig(t)
	md := newFakeProcess("shop").census(epoch, steady("app.worker", "app.pool", 40))
	for i := range maxAttributes {
		md.ResourceMetrics().At(0).Resource().Attributes().PutInt(fmt.Sprint("k", i), 1)
	}
	assert.Empty(t, r.consume(md))
	r.assertBad(map[detect.Reason]int64{badAttributes: 7})
	assert.Zero(t, r.streams())
}

func TestAgedWithoutExitsIsIncomplete(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		aged, _ := splitByName(s.census(at, leaking("app.leak", "app.main", at, 3)), telemetry.StackAgedCount)
		require.Empty(t, r.consume(aged))
	}
	r.assertBad(map[detect.Reason]int64{detect.Incomplete: 239})
}

// TestExitsAloneAreValid checks points of exits without counts, as of a group that has become empty.
func TestExitsAloneAreValid(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		exits, _ := splitByName(s.census(at, steady("app.done", "app.main", 3)), telemetry.StackAgedExits)
		require.Empty(t, r.consume(exits))
	}
	r.assertBad(map[detect.Reason]int64{})
}

func TestStreamsAreBounded(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxStreams = 3 }, shortLives)
	s := newFakeProcess("shop")
	groups := func(at time.Time) []group {
		return []group{
			leaking("app.leak", "app.main", at, 3), steady("app.b", "app.main", 1), steady("app.c", "app.main", 1),
			leaking("app.late", "app.main", at, 3), steady("app.e", "app.main", 1),
		}
	}
	since, ok := r.play(4*time.Hour, "app.leak", suspected, func(at time.Time) pmetric.Metrics {
		return s.counts(at, groups(at)...)
	})
	assert.True(t, ok, "watched streams stay watched")
	assert.Equal(t, 3, r.streams())

	before := r.sum("unwatched_points")[""]
	at := epoch.Add(since + time.Minute)
	found := r.consume(s.counts(at, groups(at)...))
	assert.Equal(t, -1, found.severity("app.late"))
	assert.Equal(t, before+2, r.sum("unwatched_points")[""])
}

func TestResourcesAreBounded(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxStreams = 1 })
	r.consume(newFakeProcess("a").counts(epoch, steady("app.worker", "app.pool", 40)))
	r.consume(newFakeProcess("b").counts(epoch, steady("app.worker", "app.pool", 40)))
	assert.Equal(t, map[detect.Reason]int64{"": 1}, r.sum("unwatched_points"))
}

// TestStaleStreamsAreForgotten checks that a stream without data is forgotten after max_stale, and
// sooner if others need its place.
func TestStaleStreamsAreForgotten(t *testing.T) {
	pass := func(d time.Duration) { <-time.After(d) } // in a synctest bubble
	send := func(r *rig, services ...string) {
		for _, service := range services {
			r.consume(newFakeProcess(service).counts(time.Now(), steady("app.worker", "app.pool", 40)))
		}
	}
	t.Run("room for all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			begin := time.Now()
			send(r, "gone")
			for send(r, "live"); r.streams() == 2; send(r, "live") {
				pass(time.Minute)
				require.LessOrEqual(t, time.Since(begin), 25*time.Hour+time.Minute)
			}
			assert.Greater(t, time.Since(begin), 24*time.Hour)
		})
	})
	t.Run("full and others waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.MaxStreams = 2 })
			begin := time.Now()
			send(r, "gone")
			for waited := int64(-1); waited != r.sum("unwatched_points")[""]; pass(time.Minute) {
				waited = r.sum("unwatched_points")[""]
				send(r, "live", "next")
				require.LessOrEqual(t, time.Since(begin), 2*time.Hour+5*time.Minute)
			}
			assert.Greater(t, time.Since(begin), time.Hour)
			assert.Equal(t, 2, r.streams())
		})
	})
	t.Run("a fleet that is replaced at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.MaxStreams = 3 })
			send(r, "a", "b", "c")
			pass(time.Minute)
			send(r, "d", "e", "f")
			require.EqualValues(t, 3, r.sum("unwatched_points")[""])
			for range 3 {
				pass(time.Hour)
				send(r, "d", "e", "f")
			}
			turnedAway := r.sum("unwatched_points")[""]
			send(r, "d", "e", "f")
			assert.Equal(t, turnedAway, r.sum("unwatched_points")[""])
		})
	})
}

// TestFastClockOfOneSender checks that a sender whose time is a thousand times too fast, such as one
// that sends the backlog of days, does not make others stale.
func TestFastClockOfOneSender(t *testing.T) {
	r := newRig(t)
	right, fast := newFakeProcess("right"), newFakeProcess("fast")
	found := func(fastSteps int) time.Duration {
		at := epoch
		when, ok := r.play(6*time.Hour, "app.leak", probable, func(now time.Time) pmetric.Metrics {
			for range fastSteps {
				at = at.Add(12 * time.Hour)
				r.consume(fast.census(at, steady("app.worker", "app.pool", 40)))
			}
			return right.census(now, leaking("app.leak", "app.main", now, 3))
		})
		require.True(t, ok)
		return when
	}
	alone := found(0)
	r = newRig(t)
	assert.Equal(t, alone, found(2))
}

// TestWrongClock checks that a host whose clock is wrong by years is watched by its own time, and does
// not make others stale or late.
func TestWrongClock(t *testing.T) {
	for name, offset := range map[string]time.Duration{
		"in the future": 70 * 365 * 24 * time.Hour,
		"in the past":   -50 * 365 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, shortLives)
			right, wrong := newFakeProcess("right"), newFakeProcess("wrong")
			since, ok := r.play(4*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
				return right.census(at, leaking("app.leak", "app.main", at, 3))
			})
			require.True(t, ok)
			found := false
			for after := since + time.Minute; after <= since+3*time.Hour; after += time.Minute {
				at := epoch.Add(after)
				late := wrong.counts(at.Add(offset), leaking("app.wrong", "app.main", at, 3))
				found = r.consume(late).severity("app.wrong") == suspected || found
				md := right.census(at, leaking("app.leak", "app.main", at, 3))
				require.Equal(t, probable, r.consume(md).severity("app.leak"))
			}
			assert.True(t, found)
			r.assertBad(map[detect.Reason]int64{})
		})
	}
}

// TestBatchAnHourAhead checks that a batch with wrong timestamps is ignored, and the next ones are
// judged.
func TestBatchAnHourAhead(t *testing.T) {
	r := newRig(t, shortLives)
	s := newFakeProcess("shop")
	data := func(at time.Time) pmetric.Metrics { return s.counts(at, leaking("app.leak", "app.main", at, 3)) }
	since, ok := r.play(4*time.Hour, "app.leak", suspected, data)
	require.True(t, ok)
	at := epoch.Add(since)
	wrong := s.counts(at.Add(time.Hour), leaking("app.leak", "app.main", at, 3))
	assert.Empty(t, r.consume(wrong))
	r.assertBad(map[detect.Reason]int64{detect.BadJump: 1})
	for range 90 {
		at = at.Add(time.Minute)
		require.Equal(t, suspected, r.consume(data(at)).severity("app.leak"))
	}
	r.assertBad(map[detect.Reason]int64{detect.BadJump: 1})
}

// TestDecreasingExits checks that a counter that decreases adds no exits, and still counts later ones.
func TestDecreasingExits(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	g := newSessions(1, 20*time.Minute, func(int) float64 { return 5 })
	lost := 0
	for minute := range 600 {
		one := g.next()
		if minute == 300 {
			lost = one.exits
		}
		one.exits -= lost
		found := r.consume(s.census(epoch.Add(time.Duration(minute)*time.Minute), one))
		require.Less(t, found.severity("app.session"), probable)
	}
	r.assertBad(map[detect.Reason]int64{})
}

// TestCorrectedClock checks that the time of a corrected clock is accepted with the second batch.
func TestCorrectedClock(t *testing.T) {
	r := newRig(t, shortLives)
	s := newFakeProcess("shop")
	year2100 := epoch.AddDate(74, 0, 0)
	for i := range time.Duration(10) {
		r.consume(s.counts(year2100.Add(i*time.Minute), steady("app.worker", "app.pool", 40)))
	}
	_, ok := r.play(4*time.Hour, "app.worker", suspected, func(at time.Time) pmetric.Metrics {
		g := leaking("app.worker", "app.pool", at, 3)
		return s.counts(at, g)
	})
	assert.True(t, ok)
	r.assertBad(map[detect.Reason]int64{detect.BadJump: 1})
}

// TestPanicPassesDataOn checks that a panic does not stop the data.
func TestPanicPassesDataOn(t *testing.T) {
	r := newRig(t)
	core, logs := observer.New(zap.ErrorLevel)
	set := metadatatest.NewSettings(r.telemetry)
	set.Logger = zap.New(core)
	p, err := newLeakDetect(defaultConfig(), set)
	require.NoError(t, err)
	p.tracker.detector = nil // the defect
	for i := range 5 {
		md := newFakeProcess("shop").counts(epoch.Add(time.Duration(i)*time.Minute), steady("app.worker", "app.pool", 40))
		before := marshal(t, md)
		out, err := p.process(context.Background(), md)
		require.NoError(t, err)
		assert.Equal(t, before, marshal(t, out))
	}
	assert.Equal(t, map[detect.Reason]int64{"": 5}, r.sum("failed_batches"))
	assert.Equal(t, 3, logs.Len(), "the first, the second and the fourth")
}

func TestContextIsPassedOn(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, r.processor.ConsumeMetrics(ctx, pmetric.NewMetrics()))
	require.Len(t, r.sink.Contexts(), 1)
	assert.ErrorIs(t, r.sink.Contexts()[0].Err(), context.Canceled)
}

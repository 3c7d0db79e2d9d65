package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestEntryIsNotFlaggedWithItsSignature checks that stuck goroutines, which increase the counts of
// their signature and of their entry, are flagged once, by signature.
func TestEntryIsNotFlaggedWithItsSignature(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		found := r.consume(s.census(at, leaking("app.leak", "app.main", at, 3), steady("app.read", "app.main", 7)))
		require.Equal(t, -1, found.severity("app.main"), "after %v", after)
	}
}

// loopingGroups returns a leak of goroutines that loop, so that each of their lines has a random
// number of them, and only their entry grows.
func loopingGroups(at time.Time) []group {
	n := leaking("", "", at, 3)
	minute := int(at.Sub(epoch).Minutes())
	groups := make([]group, 3)
	for i := range groups {
		groups[i] = group{
			signature: string(rune('a' + i)), function: "app.line" + string(rune('a'+i)), entry: "app.loop",
		}
	}
	groups[minute%3].count, groups[minute%3].aged = n.count, n.aged
	return groups
}

func TestEntryOfLoopingGoroutinesIsFlagged(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	after, ok := r.play(4*time.Hour, "app.loop", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, loopingGroups(at)...)
	})
	require.True(t, ok)
	assert.Less(t, after, 120*time.Minute)
}

// TestFlagOfEntryStays checks that the flag of an entry stays when one of its signatures is flagged
// too, in any order of the metrics: the leak has not ended.
func TestFlagOfEntryStays(t *testing.T) {
	for name, order := range map[string]func(pmetric.Metrics) pmetric.Metrics{
		"stacks first":  func(md pmetric.Metrics) pmetric.Metrics { return md },
		"entries first": reversed,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := newFakeProcess("shop")
			turn, ok := r.play(4*time.Hour, "app.loop", probable, func(at time.Time) pmetric.Metrics {
				return order(s.census(at, loopingGroups(at)...))
			})
			require.True(t, ok)
			stuck := 0
			for after := turn + time.Minute; after <= 8*time.Hour; after += time.Minute {
				at := epoch.Add(after)
				found := r.consume(order(s.census(at, leaking("app.stuck", "app.loop", at, 3))))
				require.Equal(t, probable, found.severity("app.loop"))
				if found.severity("app.stuck") >= suspected {
					stuck++
				}
			}
			assert.Greater(t, stuck, 30)
		})
	}
}

// reversed returns the metrics of a batch in the opposite order.
func reversed(md pmetric.Metrics) pmetric.Metrics {
	out := pmetric.NewMetrics()
	md.CopyTo(out)
	for i, rm := range md.ResourceMetrics().All() {
		for j, sm := range rm.ScopeMetrics().All() {
			last := sm.Metrics().Len() - 1
			for k, m := range sm.Metrics().All() {
				m.CopyTo(out.ResourceMetrics().At(i).ScopeMetrics().At(j).Metrics().At(last - k))
			}
		}
	}
	return out
}

// TestEntryInSeparateBatch checks that an entry is not flagged if its signature was flagged in an
// earlier batch.
func TestEntryInSeparateBatch(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	seen := false
	for after := time.Minute; after <= 3*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		stacks, rest := splitByName(s.census(at, leaking("app.leak", "app.main", at, 3)),
			telemetry.StackCount, telemetry.StackAgedCount, telemetry.StackAgedExits)
		seen = r.consume(stacks).severity("app.leak") == probable || seen
		require.Equal(t, -1, r.consume(rest).severity("app.main"))
	}
	assert.True(t, seen)
}

func TestTotalIsFlaggedOnlyWithoutStacks(t *testing.T) {
	for _, name := range []string{telemetry.GoroutineCount, prometheusGoroutines, "go_goroutine_count"} {
		total := func(at time.Time) pmetric.Metrics {
			s := newFakeProcess("shop")
			md, metrics := s.batch()
			s.total(metrics, at, name, leaking("", "", at, 3))
			return md
		}
		t.Run(name+" alone", func(t *testing.T) {
			_, ok := newRig(t, shortLives).play(4*time.Hour, "total", suspected, total)
			assert.True(t, ok)
		})
		t.Run(name+" beside stacks", func(t *testing.T) {
			r := newRig(t, shortLives)
			for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
				at := epoch.Add(after)
				md := total(at)
				newFakeProcess("shop").stacks(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics(), at, true, steady("app.worker", "app.pool", 40))
				require.Empty(t, r.consume(md))
			}
		})
		t.Run(name+" beside stacks of another process", func(t *testing.T) {
			r := newRig(t, shortLives)
			_, ok := r.play(4*time.Hour, "total", suspected, func(at time.Time) pmetric.Metrics {
				md := total(at)
				s := newFakeProcess("other")
				s.stacks(s.resource(md), at, true, steady("app.worker", "app.pool", 40))
				return md
			})
			assert.True(t, ok)
		})
	}
}

// TestTotalWhileStacksComeAndGo checks that the total is not flagged from the first batch with
// stacks on, until there were no stacks for max_stale.
func TestTotalWhileStacksComeAndGo(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxStale, c.MaxLifetime = time.Hour, time.Hour })
	s := newFakeProcess("shop")
	total := func(at time.Time) pmetric.Metrics {
		md, metrics := s.batch()
		s.total(metrics, at, telemetry.GoroutineCount, leaking("", "", at, 3))
		return md
	}
	turn, ok := r.play(2*time.Hour, "total", suspected, total)
	require.True(t, ok)
	for i := range 30 {
		at := epoch.Add(turn + time.Duration(i+1)*time.Minute)
		md := total(at)
		s.stacks(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics(), at, true, steady("app.worker", "app.pool", 40))
		require.LessOrEqual(t, r.consume(md).severity("total"), 0)
	}
	back := 0
	for i := range 120 {
		if r.consume(total(epoch.Add(turn+time.Duration(31+i)*time.Minute))).severity("total") == suspected {
			back = i
			break
		}
	}
	assert.Equal(t, 60, back, "minutes without stacks")
}

// TestOtherIsNotJudged checks that the sum of other groups is ignored: its members change, so it can
// grow without a leak.
func TestOtherIsNotJudged(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		other := leaking("", telemetry.SignatureOther, at, 3)
		other.signature = telemetry.SignatureOther
		require.Empty(t, r.consume(s.census(at, other)))
	}
	assert.Equal(t, 1, r.streams(), "the total")
}

// TestMovingWorkersAreNotALeak checks that workers of a pool that move to another line as load
// rises are not flagged, although no goroutine exits there: they are not new. New ones are flagged.
func TestMovingWorkersAreNotALeak(t *testing.T) {
	for name, tc := range map[string]struct {
		pool func(minute int) int // idle workers
		want int
	}{
		"of a pool": {func(minute int) int { return 500 - min(400, minute) }, 0},
		"new ones":  {func(int) int { return 500 }, probable},
	} {
		t.Run(name, func(t *testing.T) {
			for _, flat := range []bool{false, true} {
				r := newRig(t)
				s := newFakeProcess("shop")
				s.flat = flat
				worst := 0
				for minute := range 400 {
					at := epoch.Add(time.Duration(minute) * time.Minute)
					idle, busy := steady("app.take", "app.worker", tc.pool(minute)), steady("app.query", "app.worker", min(400, minute))
					if minute < 10 {
						idle.aged, busy.aged = 0, 0
					}
					worst = max(worst, r.consume(s.census(at, idle, busy)).severity("app.query"))
				}
				assert.Equal(t, tc.want, worst)
			}
		})
	}
}

package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// A goroutine that is stuck grows its signature and its entry alike. It is
// reported once, by its line.
func TestEntryIsNotFlaggedWhereItsSignatureIs(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		found := r.consume(s.census(at, leaking("app.leak", "app.main", at, 3), steady("app.read", "app.main", 7)))
		require.Equal(t, -1, found.severity("app.main"), "after %v", after)
	}
}

// wandering returns a leak whose goroutines loop, so that each of the lines that
// they pass holds as many as by chance, and only their entry grows.
func wandering(at time.Time) []group {
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

func TestEntryIsFlaggedWhereItsGoroutinesWander(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
	after, ok := r.play(4*time.Hour, "app.loop", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, wandering(at)...)
	})
	require.True(t, ok)
	assert.Less(t, after, 120*time.Minute)
}

// When a line takes over, the flag on the entry stays, in whatever order the metrics
// come: the leak is not over.
func TestFlagOfAnEntryStaysWhenASignatureTakesOver(t *testing.T) {
	for name, order := range map[string]func(pmetric.Metrics) pmetric.Metrics{
		"stacks first":  func(md pmetric.Metrics) pmetric.Metrics { return md },
		"entries first": reversed,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := newScene("shop")
			turn, ok := r.play(4*time.Hour, "app.loop", probable, func(at time.Time) pmetric.Metrics {
				return order(s.census(at, wandering(at)...))
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

// The flag on a signature from an earlier batch counts as well.
func TestEntryInABatchOfItsOwn(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
	seen := false
	for after := time.Minute; after <= 3*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		stacks, rest := split(s.census(at, leaking("app.leak", "app.main", at, 3)),
			telemetry.StackCount, telemetry.StackAgedCount, telemetry.StackAgedExits)
		seen = r.consume(stacks).severity("app.leak") == probable || seen
		require.Equal(t, -1, r.consume(rest).severity("app.main"))
	}
	assert.True(t, seen)
}

func TestTotalIsFlaggedOnlyWithoutStacks(t *testing.T) {
	for _, name := range []string{telemetry.GoroutineCount, prometheusGoroutines, "go_goroutine_count"} {
		total := func(at time.Time) pmetric.Metrics {
			s := newScene("shop")
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
				newScene("shop").stacks(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics(), at, true, steady("app.worker", "app.pool", 40))
				require.Empty(t, r.consume(md))
			}
		})
		t.Run(name+" beside stacks of another process", func(t *testing.T) {
			r := newRig(t, shortLives)
			_, ok := r.play(4*time.Hour, "total", suspected, func(at time.Time) pmetric.Metrics {
				md := total(at)
				s := newScene("other")
				s.stacks(s.resource(md), at, true, steady("app.worker", "app.pool", 40))
				return md
			})
			assert.True(t, ok)
		})
	}
}

// When stacks begin to come, the total has nothing more to say, from the same batch
// on; and when they have been gone for max_stale, it speaks again.
func TestTotalWhileStacksComeAndGo(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxStale, c.MaxLifetime = time.Hour, time.Hour })
	s := newScene("shop")
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

// What is summed under "other" changes its members, so it can grow without a leak.
func TestRowsOfTheRestAreNotJudged(t *testing.T) {
	r := newRig(t)
	s := newScene("shop")
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		rest := leaking("", telemetry.SignatureOther, at, 3)
		rest.signature = telemetry.SignatureOther
		require.Empty(t, r.consume(s.census(at, rest)))
	}
	assert.Equal(t, 1, r.streams(), "the total")
}

// Workers of a pool that wait at another line as load rises are no leak, though nobody
// leaves that line by ending: none of them is new. Those that somebody starts are.
func TestWorkersThatMoveAreNoLeak(t *testing.T) {
	for name, tc := range map[string]struct {
		pool func(minute int) int // how many wait for work
		want int
	}{
		"of a pool": {func(minute int) int { return 500 - min(400, minute) }, 0},
		"new ones":  {func(int) int { return 500 }, probable},
	} {
		t.Run(name, func(t *testing.T) {
			for _, flat := range []bool{false, true} {
				r := newRig(t)
				s := newScene("shop")
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

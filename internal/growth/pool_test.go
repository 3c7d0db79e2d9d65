package growth

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestPoolHidesNoExits simulates sessions in the same group as a pool: the hours of the pool must not
// make the sessions look long-lived.
func TestPoolHidesNoExits(t *testing.T) {
	t.Parallel()
	for _, pool := range []int{0, 20, 100, 300} {
		for _, mean := range []time.Duration{2 * time.Hour, 8 * time.Hour} {
			flagged := 0
			for seed := range uint64(20) {
				w := plain()
				w.seed, w.initial = seed, pool
				w.births = func(t time.Duration) float64 { return 100 * min(1, t.Hours()/3) }
				left := pool
				w.lifetime = func(r *rand.Rand, _ time.Duration) time.Duration {
					if left > 0 {
						left--
						return forever
					}
					return time.Duration(r.ExpFloat64() * float64(mean))
				}
				if _, found := w.firstAt(defaults(), Probable, true); found {
					flagged++
				}
			}
			if flagged > 0 {
				t.Errorf("pool of %d, sessions of %v: flagged in %d of 20 runs", pool, mean, flagged)
			}
		}
	}
}

// TestLeakAmongManyShortLived simulates a leak in a group with many short-lived goroutines, which are
// not residents.
func TestLeakAmongManyShortLived(t *testing.T) {
	t.Parallel()
	w := plain()
	w.initial = 500
	w.births = steady(500 * 60)
	w.lifetime = func(r *rand.Rand, _ time.Duration) time.Duration {
		if r.IntN(500) == 0 { // one a minute
			return forever
		}
		return time.Duration(r.ExpFloat64() * float64(time.Minute))
	}
	at, found := w.firstAt(defaults(), Probable, true)
	if limit := 2*time.Hour + 30*time.Minute; !found || at > limit {
		t.Errorf("probable: %v after %v, want within %v", found, at, limit)
	}
}

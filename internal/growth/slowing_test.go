package growth

import (
	"math"
	"slices"
	"testing"
	"time"
)

// A pool fills ever more slowly and must not be flagged while its pace falls visibly.
func TestPoolThatFillsIsNotFlagged(t *testing.T) {
	for _, pace := range []time.Duration{15 * time.Minute, time.Hour} {
		pool := plain()
		pool.initial = 0
		pool.births = func(t time.Duration) float64 {
			return 150 / pace.Hours() * math.Exp(-t.Hours()/pace.Hours())
		}
		flagged := 0
		for seed := range uint64(50) {
			pool.seed = seed
			if _, ok := pool.firstAt(defaults(), Probable, true); ok {
				flagged++
			}
		}
		if flagged > 2 {
			t.Errorf("pace %v: %d of 50 are flagged", pace, flagged)
		}
	}
}

func TestSlows(t *testing.T) {
	r := defaults()
	at := func(levels ...float64) []knot {
		var knots []knot
		for i, level := range levels {
			knots = append(knots, knot{float64(i), level})
		}
		slices.Reverse(knots)
		return knots
	}
	for name, tc := range map[string]struct {
		knots []knot
		want  bool
	}{
		"even":                    {at(0, 10, 20, 30, 40, 50), false},
		"faster":                  {at(0, 1, 3, 8, 20, 50), false},
		"half the pace":           {at(0, 14, 26, 36, 44, 50), true},
		"less than chance":        {at(0, 3, 5, 7, 8, 10), false},
		"hardly, of many":         {at(0, 1010, 2010, 3000, 3990, 4980), false},
		"a third less, of many":   {at(0, 1200, 2300, 3300, 4200, 5000), true},
		"even, of uneven lengths": {[]knot{{15, 150}, {14, 140}, {12, 120}, {8, 80}, {0, 0}}, false},
		"not at all":              {at(5, 5, 5, 5), true},
	} {
		if got := new(Evidence).slows(&r, tc.knots, rise{}, Probable); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

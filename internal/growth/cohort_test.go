package growth

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Hundreds of connections that live for days must not make the few new ones suspect that come with
// a scale-out, as long as these live for some hours.
func TestNewcomersAreJudgedByTheirOwnHours(t *testing.T) {
	const filled, out, in = 15 * time.Minute, 30 * time.Hour, 36 * time.Hour
	connections := plain()
	connections.length = 48 * time.Hour
	connections.births = func(t time.Duration) float64 {
		switch {
		case t < filled:
			return 1200
		case t >= out && t < out+time.Hour:
			return 25
		}
		return 0
	}
	connections.lifetime = func(_ *rand.Rand, t time.Duration) time.Duration {
		if t < out {
			return forever
		}
		return in - out
	}
	leaking := connections
	leaking.births = func(t time.Duration) float64 {
		if t < out {
			return connections.births(t)
		}
		return 60
	}
	leaking.lifetime = never
	for seed := range uint64(50) {
		connections.seed, leaking.seed = seed, seed
		if at, ok := connections.firstAt(defaults(), Suspected, true); ok {
			t.Errorf("seed %d: suspected after %v", seed, at)
		}
		at, ok := leaking.firstAt(defaults(), Probable, true)
		// The formula says 1 h 50 min for a leak of one a minute.
		if took := at - out; !ok || took < time.Hour || took > 150*time.Minute {
			t.Errorf("seed %d: a leak beside them is probable after %v", seed, took)
		}
	}
}

// A leak is found in a group with a thousand residents, some of which once came and went.
func TestLeakBesideManyThatStay(t *testing.T) {
	const out, in, leaks = 2 * time.Hour, 6 * time.Hour, 16 * time.Hour
	w := plain()
	w.initial, w.length = 1200, 48*time.Hour
	w.births = func(t time.Duration) float64 {
		switch {
		case t >= leaks:
			return 20
		case t >= out && t < out+time.Hour:
			return 25
		}
		return 0
	}
	w.lifetime = func(_ *rand.Rand, t time.Duration) time.Duration {
		if t >= out && t < in {
			return in - out
		}
		return forever
	}
	for seed := range uint64(20) {
		w.seed = seed
		// The formula says 2 h 53 min; the 25 past goroutines must be outgrown first.
		if at, ok := w.firstAt(defaults(), Probable, true); !ok || at < leaks || at > leaks+9*time.Hour {
			t.Errorf("seed %d: probable after %v, %v", seed, at, ok)
		}
	}
}

// Hours count from the beginning of the growth, not from that of the horizon, and no earlier.
func TestHoursOfGrowth(t *testing.T) {
	r := defaults()
	length := segment(&r)
	for name, tc := range map[string]struct {
		level func(hours float64) float64
		hours float64
		want  float64
	}{
		"from the beginning":        {func(h float64) float64 { return 60 * h }, 7, 60 * 7 * 7 / 2.0},
		"after a pool was filled":   {func(h float64) float64 { return 400*min(1, 4*h) + 30*max(0, h-20) }, 25, 30 * 5 * 5 / 2.0},
		"faster than before":        {func(h float64) float64 { return 20*h + 20*max(0, h-4) }, 8, 20*8*8/2.0 + 20*4*4/2.0},
		"after a trickle":           {func(h float64) float64 { return h + 60*max(0, h-16) }, 19, 61 * 3 * 3 / 2.0},
		"in a horizon with a pause": {func(h float64) float64 { return 60*min(h, 2) + 60*max(0, h-2.5) }, 4, 120 + 60 + 120*1.5 + 60*1.5*1.5/2},
	} {
		var f floors
		begin := time.Unix(0, 0)
		end := begin.Add(time.Duration(tc.hours * float64(time.Hour)))
		for at := begin.Add(time.Minute); !at.After(end); at = at.Add(time.Minute) {
			f.observe(&r, tc.level(at.Sub(begin).Hours()), at.UnixNano())
		}
		found, ok := f.rising(&r, 0, false)
		if !ok {
			t.Errorf("%s: does not rise", name)
		}
		got := f.hours(&r, sinceBeginning(&r, found, f.history(0, 0, nil)), end.UnixNano())
		// The beginning is known to about a segment, or a sixteenth of the time since then.
		if off := math.Abs(got - tc.want); off > tc.want/8 {
			t.Errorf("%s: %.0f hours, want %.0f (%v segments of %v)", name, got, tc.want, f.closed, length)
		}
	}
}

// The history reaches back arbitrarily, at times that become sparser.
func TestHistory(t *testing.T) {
	var f floors
	r := defaults()
	const minutes = 10 * 60
	for minute := range minutes {
		f.observe(&r, float64(minute), time.Unix(0, 0).Add(time.Duration(minute+1)*time.Minute).UnixNano())
	}
	knots := f.history(0, 0, nil)
	if len(knots) > maxKnots {
		t.Errorf("%d knots", len(knots))
	}
	length := segment(&r).Minutes()
	for i, k := range knots {
		if want := k.at * length; math.Abs(k.level-want) > 1 {
			t.Errorf("knot %d: %v at minute %v", i, k.level, want)
		}
		if i > 0 && k.at >= knots[i-1].at {
			t.Errorf("knot %d: %v after %v", i, k.at, knots[i-1].at)
		}
	}
	if first := knots[len(knots)-1].at * length; first > minutes/4 {
		t.Errorf("it begins at minute %v", first)
	}
}

// A leak beside a pool in the same group is found once it has gone on evenly for most of
// MaxLifetime; the pool alone never is.
func TestLeakBesideAPoolThatFilled(t *testing.T) {
	pool := func(t time.Duration) float64 { return 75 * 2 * math.Exp(-2*t.Hours()) }
	for seed := range uint64(20) {
		w := plain()
		w.seed, w.length, w.births = seed, 36*time.Hour, pool
		if at, ok := w.firstAt(defaults(), Probable, true); ok {
			t.Errorf("seed %d: the pool is probable after %v", seed, at)
		}
		w.births = func(t time.Duration) float64 { return pool(t) + 30 }
		if at, ok := w.firstAt(defaults(), Probable, true); !ok || at > 20*time.Hour {
			t.Errorf("seed %d: probable after %v, %v", seed, at, ok)
		}
	}
}

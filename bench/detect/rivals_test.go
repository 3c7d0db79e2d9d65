package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// levelsOf returns the values of f at n minutes.
func levelsOf(n int, f func(i int) float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = f(i)
	}
	return x
}

func TestFit(t *testing.T) {
	rising := levelsOf(60, func(i int) float64 { return 5 + 2*float64(i) })
	f := fit(rising)
	require.InDelta(t, 2, f.slope, 1e-9)
	require.InDelta(t, 5+2*59, f.last, 1e-9)
	require.InDelta(t, 1, f.r2, 1e-9)

	rising[7], rising[59] = math.NaN(), math.NaN()
	require.InDelta(t, 5+2*59, fit(rising).last, 1e-9, "missing data is skipped")
	require.True(t, math.IsNaN(fit(levelsOf(60, func(int) float64 { return math.NaN() })).slope))
	require.True(t, math.IsNaN(fit(levelsOf(60, func(int) float64 { return 3 })).r2), "a flat line has no trend")
}

func TestMannKendall(t *testing.T) {
	// Of 36 that rise all 630 pairs do; the deviation without a trend is
	// sqrt(36*35*77/18).
	falling := levelsOf(36, func(i int) float64 { return float64(-i) }) // latest first
	require.InDelta(t, 629/math.Sqrt(36*35*77/18), mannKendall(falling), 1e-9)
	require.Less(t, mannKendall(levelsOf(36, func(i int) float64 { return float64(i) })), 0.0)
	require.Zero(t, mannKendall(nil))
}

func TestRises(t *testing.T) {
	sawtooth := func(i int) float64 { return float64(i%7) * 10 }
	require.True(t, rises(levelsOf(180, func(i int) float64 { return float64(i/30)*2 + sawtooth(i) })))
	require.False(t, rises(levelsOf(180, func(i int) float64 { return float64(i/30) + sawtooth(i) })), "too little")
	require.False(t, rises(levelsOf(180, func(i int) float64 { return float64(i/60)*5 + sawtooth(i) })), "not in each")
}

func TestEachRivalFindsFastLeak(t *testing.T) {
	// 200 a minute for 12 hours.
	p := process{lives: fresh(), groups: []group{leakingGroup(leaking(steady(200)))}}
	s := simulate(random("rivals", 0), p, 12*hour)
	for _, v := range rivals() {
		var alarms []alarm
		v.replay(3, p, s, func(a alarm) { alarms = append(alarms, a) })
		require.NotEmpty(t, alarms, v.head)
		require.Equal(t, 3, alarms[0].process)
	}
}

func TestLeakProfLooksAtChannelsOnly(t *testing.T) {
	g := named("f", "io_wait", resident(20_000))
	p := process{lives: fresh(), groups: []group{g}}
	s := simulate(random("rivals", 0), p, 10)
	for _, v := range rivals() {
		if v.channel {
			v.replay(0, p, s, func(alarm) { t.Error("alarm for goroutines that wait for the network") })
		}
	}
}

package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOracleAndFormulaAgreeWithTheDesign(t *testing.T) {
	for _, c := range []struct {
		perMinute   float64
		maxLifetime time.Duration
	}{{0.2, 12 * time.Hour}, {1, 12 * time.Hour}, {3, 12 * time.Hour}, {1, time.Hour}} {
		p := process{lives: fresh(), groups: []group{leakingGroup(leaking(steady(c.perMinute)))}}
		l := leakOf(p, 0, 0, 0)
		want := math.Sqrt(2 * math.Log(1000) * c.maxLifetime.Minutes() / c.perMinute)
		require.InDelta(t, max(want, minDuration), formula(l, p, day, c.maxLifetime), 2)

		var times []float64
		for seed := range 51 {
			s := simulate(random("oracle", seed), p, day)
			times = append(times, oracle(l, []*series{s}, c.maxLifetime))
		}
		require.InEpsilon(t, want, median(times), 0.1)
	}
}

func TestFormulaExcludesLeakThatPauses(t *testing.T) {
	p := process{lives: fresh(), groups: []group{leakingGroup(leaking(sum(
		between(0, 20, steady(3)), between(2*hour, 2*hour+20, steady(3)))))}}
	require.InDelta(t, notFound, formula(leakOf(p, 0, 0, 0), p, day, lifetimeDefault), 0)
}

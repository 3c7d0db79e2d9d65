package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

var twoLeaks = trial{leaks: []leak{
	{process: 1, subjects: []string{"f", "f.start"}, groups: []int{0}, onset: 60},
	{process: 1, subjects: []string{"go.memory.used"}, onset: 30},
}}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   float64
		alarms []alarm
		want   outcome
	}{
		{"nothing", 0, nil, outcome{found: []float64{notFound, notFound}}},
		{
			"by function, the first counts", 0,
			[]alarm{{1, "f", 1, 100}, {1, "f", 1, 101}},
			outcome{found: []float64{40, notFound}},
		},
		{"by entry", 0, []alarm{{1, "f.start", 1, 100}}, outcome{found: []float64{40, notFound}}},
		{"memory", 0, []alarm{{1, "go.memory.used", 1, 100}}, outcome{found: []float64{notFound, 70}}},
		{"the process is goroutines", 0, []alarm{{1, "", 1, 100}}, outcome{found: []float64{40, notFound}}},
		{
			"another group", 0,
			[]alarm{{1, "g", 1, 100}, {1, "h", 1, 101}},
			outcome{found: []float64{notFound, notFound}, falseAlarm: true, accused: "g", at: 100},
		},
		{
			"another process", 0,
			[]alarm{{0, "f", 1, 100}},
			outcome{found: []float64{notFound, notFound}, falseAlarm: true, accused: "f", at: 100},
		},
		{
			"before it leaks", 0,
			[]alarm{{1, "f", 1, 59}, {1, "f", 1, 61}},
			outcome{found: []float64{1, notFound}, falseAlarm: true, accused: "f", at: 59},
		},
		{
			"before flags count", 200,
			[]alarm{{1, "g", 1, 199}, {1, "f", 1, 199}},
			outcome{found: []float64{notFound, notFound}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJudge(twoLeaks, c.from, growth.Suspected)
			for _, a := range c.alarms {
				j.add(a)
			}
			c.want.interrupted = make([]bool, len(twoLeaks.leaks))
			require.Equal(t, c.want, j.result)
		})
	}
}

func TestScore(t *testing.T) {
	var s score
	for _, o := range []outcome{
		{found: []float64{10, 30}},
		{found: []float64{20, notFound}, falseAlarm: true},
		{},
		{falseAlarm: true},
	} {
		s.add(o)
	}
	require.InDelta(t, 3.0/4, s.recall(), 1e-12)
	require.InDelta(t, 1.0/2, s.falsePositiveRate(), 1e-12)
	require.InDelta(t, 3.0/5, s.precision(), 1e-12)
	require.InDelta(t, 20, s.timeTo(0.5), 1e-12)
	require.True(t, math.IsInf(s.timeTo(0.95), 1), "one was never found")
	require.Equal(t, "75+50", s.cell())
}

func TestPercentDoesNotRoundToAllOrNothing(t *testing.T) {
	require.Equal(t, "0", percent(0, 500))
	require.Equal(t, "1", percent(1, 500))
	require.Equal(t, "99", percent(499, 500))
	require.Equal(t, "100", percent(500, 500))
}

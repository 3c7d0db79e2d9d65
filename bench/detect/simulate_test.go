package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// individual is one simulated goroutine.
type individual struct {
	group      int
	born, dies float64
}

// recorded returns a source that also appends its goroutines to seen.
func recorded(group int, src source, seen *[]individual) source {
	var born float64
	return source{
		arrivals: func(r *rand.Rand, l life, next func(float64)) {
			src.arrivals(r, l, func(at float64) {
				born = at
				next(at)
			})
		},
		lifetime: func(r *rand.Rand, at float64) float64 {
			d := src.lifetime(r, at)
			*seen = append(*seen, individual{group, born, at + d})
			return d
		},
	}
}

// snapshot returns the snapshot of a trace at a time. IDs are in order of birth.
func snapshot(all []individual, signatures []stack.Signature, at float64) *stack.Snapshot {
	s := &stack.Snapshot{Source: stack.SourceTrace, Procs: 1, HighestID: uint64(len(all))}
	for _, signature := range signatures {
		s.Groups = append(s.Groups, stack.Group{Signature: signature})
	}
	for i, one := range all {
		if one.born <= at && at < one.dies {
			s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: uint64(i + 1), Group: int32(one.group)})
			s.Groups[one.group].Count++
		}
	}
	return s
}

func TestSimulationCountsAsTheCensusDoes(t *testing.T) {
	const length = 6 * hour
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 1))
		var all []individual
		p := process{lives: []life{{-hour, forever}}, groups: []group{
			named("a", "select", recorded(0, calls(steady(3), memoryless(12)), &all)),
			named("b", "select",
				recorded(1, calls(steady(0.2), around(11, 3)), &all),
				recorded(1, source{arrivals: fromStart(5), lifetime: memoryless(hour)}, &all)),
		}}
		lost := rand.New(rand.NewPCG(seed, 2))
		p.missed = func(int) bool { return lost.IntN(5) == 0 }
		s := simulate(r, p, length)
		slices.SortStableFunc(all, func(a, b individual) int { return cmp.Compare(a.born, b.born) })

		signatures := []stack.Signature{signatureOf(t, "a"), signatureOf(t, "b")}
		c := census.NewOwn(agedAfter*time.Minute, 10)
		for i, minute := range s.minutes {
			report := c.Observe(snapshot(all, signatures, float64(minute)), midnight.Add(time.Duration(minute)*time.Minute))
			for g, signature := range signatures {
				compare(t, report, signature, s.groups[g], i)
			}
		}
	}
}

// compare requires that the series agrees with the census of a group.
func compare(t *testing.T, report census.Report, signature stack.Signature, c counted, i int) {
	t.Helper()
	row := slices.IndexFunc(report.Groups, func(g census.Group) bool { return g.Signature == signature })
	require.Equal(t, row >= 0, c.listed[i])
	if row < 0 {
		return
	}
	require.EqualValues(t, report.Groups[row].Count, c.count[i])
	var aged, exits int64
	for _, band := range report.Groups[row].Bands {
		aged += int64(band.Aged)
		exits += band.Exits
	}
	require.EqualValues(t, aged, c.aged[0][i])
	require.EqualValues(t, exits, c.exits[0][i])
}

func signatureOf(t *testing.T, function string) stack.Signature {
	t.Helper()
	signature, ok := stack.Read([]stack.Frame{
		{Function: "runtime.gopark"},
		{Function: "runtime.selectgo"},
		{Function: "main." + function, File: "main.go", Line: 1},
	}, stack.Waiting)
	require.True(t, ok)
	return signature
}

func TestMovingGoroutineIsCountedOnceAndNeverExits(t *testing.T) {
	src := source{arrivals: fromStart(100), lifetime: never, visits: []int{0, 1, 2}}
	p := process{lives: fresh(), groups: make([]group, 3)}
	p.groups[0].sources = []source{src}
	s := simulate(rand.New(rand.NewPCG(1, 1)), p, 2*hour)
	moved := int32(0)
	for i := range s.minutes {
		require.Equal(t, 100, s.total(i))
		aged := int32(0)
		for _, g := range s.groups {
			require.Zero(t, g.exits[0][i])
			aged += g.aged[0][i]
		}
		require.Equal(t, int32(100*min(1, i/agedAfter)), aged)
		moved = max(moved, s.groups[1].count[i])
	}
	require.Positive(t, moved)
}

func TestLifeEndsWithoutExits(t *testing.T) {
	p := process{lives: every(hour, 3*hour), groups: []group{leakingGroup(leaking(steady(1)))}}
	s := simulate(rand.New(rand.NewPCG(1, 1)), p, 3*hour)
	require.Len(t, s.minutes, 180)
	for i, m := range s.minutes {
		require.Equal(t, m-m%60, s.starts[i])
		require.Zero(t, s.groups[0].exits[0][i])
	}
	require.Greater(t, s.groups[0].count[59], int32(30))
	require.LessOrEqual(t, s.groups[0].count[60], int32(1))
}

func TestLeakedAreCountedByTheShareOfTheMinute(t *testing.T) {
	alive := make([]float64, 4)
	change(alive, 0.75, 1)
	change(alive, 2.5, -1)
	accumulate(alive)
	require.InDeltaSlice(t, []float64{0.25, 1, 0.5, 0}, alive, 1e-12)
}

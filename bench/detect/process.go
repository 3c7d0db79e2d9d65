package main

import "math/rand/v2"

// Times are minutes since the start of the watching, at midnight. A snapshot is taken at each whole minute.
const (
	hour = 60.0
	day  = 24 * hour
)

// process is a simulated process, or the consecutive lives of one instance.
type process struct {
	groups []group
	lives  []life
	// missed reports whether the snapshot of a minute is missing. If nil, none is.
	missed func(minute int) bool
	// rewatched has the times in order at which the collector restarts: the census starts again, while the process
	// continues.
	rewatched []float64
	memory    memory
}

// life is one process from its start to its end.
type life struct{ begin, end float64 }

// group has all goroutines of one signature.
type group struct {
	function, entry, state string
	sources                []source
	// only is the life, counted from 1, that has this group; 0 means all lives.
	only int
}

// source starts the goroutines of a group, independently of each other.
type source struct {
	arrivals arrivals
	lifetime lifetime
	// leaks is the ground truth: the goroutines never exit.
	leaks bool
	// mean is the expected number of arrivals per minute, set only for a leak, for the formula.
	mean func(t float64) float64
	// visits has the indices of the other groups through which a goroutine moves; nil if it stays in its own.
	visits []int
	// busy is the share of goroutines in the visited groups at a time. If nil, all groups have the same share.
	busy load
}

// choose returns the group of a goroutine from a time on, of its own and the visited groups.
func (s source) choose(r *rand.Rand, groups []int, at float64) int {
	switch {
	case len(groups) == 1:
		return groups[0]
	case s.busy == nil:
		return groups[r.IntN(len(groups))]
	case r.Float64() >= s.busy(at):
		return groups[0]
	}
	return groups[1+r.IntN(len(groups)-1)]
}

// arrivals calls born for each goroutine that starts in a life.
type arrivals func(r *rand.Rand, l life, born func(at float64))

// lifetime returns a random lifetime of a goroutine that starts at a time.
type lifetime func(r *rand.Rand, at float64) float64

// series has the snapshots of a process.
type series struct {
	// minutes has the times of the snapshots, starts since when the life in each has been watched, lives the index of
	// that life.
	minutes, starts, lives []int
	groups                 []counted
	memory                 []float64 // bytes
	// leaked is the mean number of leaked goroutines of each group in each minute of the run, with or without a
	// snapshot.
	leaked [][]float64
}

// levels is the number of age levels of the census.
const levels = 4

// bounds are the lower age bounds of the levels in minutes: 1, 8, 32 and 64 times the default aged_after.
var bounds = [levels]float64{agedAfter, 8 * agedAfter, 32 * agedAfter, 64 * agedAfter}

// counted is the census of one group, by snapshot.
type counted struct {
	count       []int32
	aged, exits [levels][]int32 // of goroutines at least as old as the level's bound
	listed      []bool          // whether the snapshot has the group
}

// total returns the number of all goroutines at a snapshot.
func (s *series) total(snapshot int) int {
	n := 0
	for _, g := range s.groups {
		n += int(g.count[snapshot])
	}
	return n
}

package main

import "math/rand/v2"

// Times are minutes since the watching began, at midnight; one snapshot is taken
// at each whole minute. Those before 0 are of a process that ran already.
const (
	hour = 60.0
	day  = 24 * hour
)

// process is a simulated process, or the successive lives of one instance.
type process struct {
	groups []group
	lives  []life
	// missed tells at which minutes no snapshot could be had. None if nil.
	missed func(minute int) bool
	// rewatched are the times at which the watcher was restarted, in order: its
	// census begins afresh, while the process goes on.
	rewatched []float64
	memory    memory
}

// life is one process from its start to its end. All goroutines end with it.
type life struct{ begin, end float64 }

// group is all goroutines of one signature.
type group struct {
	function, entry, state string
	sources                []source
	// only is the life, counted from 1, that has this group; 0 is each.
	only int
}

// source is where goroutines of a group come from. Each is born and dies by
// itself.
type source struct {
	arrivals arrivals
	lifetime lifetime
	// leaks is the ground truth: they never end.
	leaks bool
	// mean is the expected rate of arrivals, a minute. Only of a leak, for
	// the formula.
	mean func(t float64) float64
	// visits are the other groups that a goroutine moves through while it
	// lives, as indices; nil if it stays in its own.
	visits []int
	// busy is the share that is in the visited groups at a time; all groups
	// are alike if nil.
	busy load
}

// choose returns where a goroutine is from a time on, of its own group and those that
// it visits.
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

// arrivals tells born of each goroutine that is born in a life.
type arrivals func(r *rand.Rand, l life, born func(at float64))

// lifetime draws how long one lives that is born at a time.
type lifetime func(r *rand.Rand, at float64) float64

// series is what the snapshots of a process show.
type series struct {
	// minutes are when snapshots were taken, starts since when the life that each
	// shows has been watched, and lives which it is.
	minutes, starts, lives []int
	groups                 []counted
	memory                 []float64 // bytes
	// leaked is, for each group, how many leaked goroutines were alive on
	// average in each minute of the run, whether or not it had a snapshot.
	leaked [][]float64
}

// levels is how many age levels the census has.
const levels = 4

// bounds are the least ages at the levels, in minutes: aged_after by default, and 8, 32
// and 64 times that.
var bounds = [levels]float64{agedAfter, 8 * agedAfter, 32 * agedAfter, 64 * agedAfter}

// counted is what the census says of one group, by snapshot.
type counted struct {
	count       []int32
	aged, exits [levels][]int32 // of those at least as old as the level's bound
	listed      []bool          // whether the snapshot has a row for it
}

// total returns the number of all goroutines at a snapshot.
func (s *series) total(snapshot int) int {
	n := 0
	for _, g := range s.groups {
		n += int(g.count[snapshot])
	}
	return n
}

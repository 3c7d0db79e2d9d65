package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// agedAfter is the default of the receiver and of instrument, in minutes.
const agedAfter = 10

// simulate simulates a process for a number of minutes. It needs no list of live goroutines: at the start of a goroutine
// it knows the snapshots at which it is first seen, aged and gone, and changes their counts by one. So 20,000
// connections cost no more than their starts.
func simulate(r *rand.Rand, p process, minutes int) *series {
	s := newSeries(len(p.groups), minutes)
	for i := range p.lives {
		s.addLife(r, p, i, minutes)
	}
	for i := range s.groups {
		s.groups[i].settle(s.minutes)
		accumulate(s.leaked[i])
	}
	s.memory = p.memory.play(r, s)
	return s
}

func newSeries(groups, minutes int) *series {
	s := &series{groups: make([]counted, groups), leaked: make([][]float64, groups)}
	for i := range s.leaked {
		s.leaked[i] = make([]float64, minutes)
	}
	return s
}

// addLife appends the snapshots of one life and counts its goroutines.
func (s *series) addLife(r *rand.Rand, p process, nth, minutes int) {
	l := p.lives[nth]
	l.end = min(l.end, float64(minutes))
	watches := s.watches(p, nth, minutes)
	for g, group := range p.groups {
		if group.only != 0 && group.only != nth+1 {
			continue
		}
		for _, src := range group.sources {
			groups := append([]int{g}, src.visits...)
			src.arrivals(r, l, func(at float64) {
				dies := at + src.lifetime(r, at)
				if src.leaks {
					change(s.leaked[g], at, 1)
					change(s.leaked[g], l.end, -1)
				}
				for _, w := range watches {
					w.live(r, src, groups, at, dies)
				}
			})
		}
	}
	for _, w := range watches {
		for g := range s.groups {
			s.groups[g].append(w.changes[g])
		}
	}
}

// watch has the snapshots of one life between two restarts of the collector, and the changes at each.
type watch struct {
	minutes    []int // of all snapshots
	first, end int   // indices of the snapshots of this watch
	changes    []counted
}

// watches appends the snapshots of a life, and returns its watches.
func (s *series) watches(p process, nth, minutes int) []watch {
	l := p.lives[nth]
	var all []watch
	begin := max(l.begin, 0)
	for _, end := range append(slices.Clone(p.rewatched), min(l.end, float64(minutes))) {
		if end <= begin {
			continue
		}
		w := watch{first: len(s.minutes)}
		for m := int(math.Ceil(begin)); m < minutes && float64(m) < end; m++ {
			if p.missed != nil && p.missed(m) {
				continue
			}
			s.minutes = append(s.minutes, m)
			s.starts = append(s.starts, s.minutes[w.first])
			s.lives = append(s.lives, nth)
		}
		w.end = len(s.minutes)
		n := w.end - w.first + 1 // the last is for goroutines that never end
		for range p.groups {
			w.changes = append(w.changes, newCounted(n))
		}
		all = append(all, w)
		begin = end
	}
	for i := range all {
		all[i].minutes = s.minutes
	}
	return all
}

func newCounted(snapshots int) counted {
	c := counted{count: make([]int32, snapshots)}
	for k := range levels {
		c.aged[k], c.exits[k] = make([]int32, snapshots), make([]int32, snapshots)
	}
	return c
}

// at returns the first snapshot of the watch at or after a time, counted from the first of the watch.
func (w *watch) at(t float64) int {
	own := w.minutes[w.first:w.end]
	if len(own) == 0 || t <= float64(own[0]) {
		return 0
	}
	// Usually no snapshot is missing.
	if guess := int(math.Ceil(t)) - own[0]; guess < len(own) && float64(own[guess]) == math.Ceil(t) {
		return guess
	}
	return sort.Search(len(own), func(i int) bool { return float64(own[i]) >= t })
}

// dwell is the mean time in minutes that a moving goroutine stays in one group.
const dwell = 7

// live counts one goroutine, which starts in the first of groups. As in the census, it is aged at a level from the first
// snapshot that is at least the level's bound after the one that saw it first, and an exit at the first snapshot without
// it, if it was aged before.
func (w *watch) live(r *rand.Rand, src source, groups []int, born, dies float64) {
	seen, gone := w.at(born), w.at(dies)
	if gone <= seen {
		return
	}
	var old [levels]int
	reached := 0 // levels
	for reached < levels {
		old[reached] = w.at(float64(w.minutes[w.first+seen]) + bounds[reached])
		if old[reached] >= gone {
			break
		}
		reached++
	}
	group, from := groups[0], seen
	for len(groups) > 1 {
		moves := w.at(born + r.ExpFloat64()*dwell)
		if moves >= gone {
			break
		}
		w.changes[group].stay(from, moves, old[:reached])
		born = float64(w.minutes[w.first+moves])
		group, from = src.choose(r, groups, born), moves
	}
	w.changes[group].stay(from, gone, old[:reached])
	for k := range reached {
		w.changes[group].exits[k][gone]++
	}
}

// stay counts a goroutine that is in the group from one snapshot until another, and aged at each level from old.
func (c *counted) stay(from, to int, old []int) {
	c.count[from]++
	c.count[to]--
	for k, old := range old {
		if to <= old {
			return
		}
		c.aged[k][max(from, old)]++
		c.aged[k][to]--
	}
}

// append appends the cumulative sums of the changes of one watch.
func (c *counted) append(changes counted) {
	c.count = appendSums(c.count, changes.count)
	for k := range levels {
		c.aged[k] = appendSums(c.aged[k], changes.aged[k])
		c.exits[k] = appendSums(c.exits[k], changes.exits[k])
	}
}

// appendSums appends the cumulative sums of changes, without the last, which belongs to no snapshot.
func appendSums(to, changes []int32) []int32 {
	var sum int32
	for _, change := range changes[:len(changes)-1] {
		sum += change
		to = append(to, sum)
	}
	return to
}

// settle decides which snapshots have the group. As in the census, an empty group stays for agedAfter.
func (c *counted) settle(minutes []int) {
	c.listed = make([]bool, len(minutes))
	emptied := math.MinInt / 2
	for i, n := range c.count {
		if n > 0 {
			c.listed[i] = true
			continue
		}
		if i > 0 && c.count[i-1] > 0 {
			emptied = minutes[i]
		}
		c.listed[i] = minutes[i]-emptied < agedAfter
	}
}

// change adds a number of goroutines from a time on. The rest of its minute counts in proportion.
func change(alive []float64, at, by float64) {
	at = max(at, 0)
	m := int(at)
	left := float64(m+1) - at
	if m < len(alive) {
		alive[m] += by * left
	}
	if m+1 < len(alive) {
		alive[m+1] += by * (1 - left)
	}
}

// accumulate replaces changes by their cumulative sums.
func accumulate(changes []float64) {
	for i := 1; i < len(changes); i++ {
		changes[i] += changes[i-1]
	}
}

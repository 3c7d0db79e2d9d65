package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// agedAfter is the default of the receiver and of instrument, in minutes.
const agedAfter = 10

// simulate plays a process for a number of minutes. It follows each goroutine
// from its birth to its death, but needs no list of those alive: the snapshots
// that see it first, old and no more are known at its birth, and what they count
// changes there by one. So 20,000 connections cost no more than their births.
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

// watch is the snapshots that one watcher takes of one life, by their indices, and what
// changes with each.
type watch struct {
	minutes    []int // of all snapshots
	first, end int   // of this watch's
	changes    []counted
}

// watches appends the snapshots of a life.
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
		n := w.end - w.first + 1 // one more, for what is never seen to end
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

// at returns the first snapshot of the watch that is not before a time, counted
// from the watch's first.
func (w *watch) at(t float64) int {
	own := w.minutes[w.first:w.end]
	if len(own) == 0 || t <= float64(own[0]) {
		return 0
	}
	// Most often none is missing.
	if guess := int(math.Ceil(t)) - own[0]; guess < len(own) && float64(own[guess]) == math.Ceil(t) {
		return guess
	}
	return sort.Search(len(own), func(i int) bool { return float64(own[i]) >= t })
}

// dwell is for how long a goroutine that moves stays in one group on average, in
// minutes: several snapshots.
const dwell = 7

// live counts one goroutine, which starts in the first of groups. The census calls it aged
// at a level from the first snapshot on that is the level's bound past the one that saw it
// first, and an exit at the first that misses it, if it was aged in the one before.
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

// stay counts a goroutine that was in the group from one snapshot up to another,
// and aged from old on, by level.
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

// append adds the changes of one watch, summed up.
func (c *counted) append(changes counted) {
	c.count = appendSums(c.count, changes.count)
	for k := range levels {
		c.aged[k] = appendSums(c.aged[k], changes.aged[k])
		c.exits[k] = appendSums(c.exits[k], changes.exits[k])
	}
}

// appendSums appends what the changes add up to, without the last of them, which no
// snapshot sees.
func appendSums(to, changes []int32) []int32 {
	var sum int32
	for _, change := range changes[:len(changes)-1] {
		sum += change
		to = append(to, sum)
	}
	return to
}

// settle decides which snapshots have a row for the group: as in the census, it
// stays for agedAfter when it is empty.
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

// change notes that from a time on there are so many more. What is left of its
// minute counts as that share of it.
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

// accumulate turns changes into what they add up to.
func accumulate(changes []float64) {
	for i := 1; i < len(changes); i++ {
		changes[i] += changes[i-1]
	}
}

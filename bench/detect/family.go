package main

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// family is a kind of situation, of which each seed makes another case.
type family struct {
	name  string
	hours int
	// calls tells that what comes and goes lives for a quarter of an hour or
	// less on average, so that max_lifetime can be an hour.
	calls bool
	// judged is from when on flags count, in minutes.
	judged float64
	asked  asked
	make   func(r *rand.Rand) trial
}

// asked tells who is asked of a family.
type asked uint8

const (
	everybody asked = iota
	// onService are those who judge a service as a whole: the census at the default
	// max_lifetime. There are many processes in each case.
	onService
)

// trial is one case: processes that run side by side, and what leaks in them.
type trial struct {
	processes []process
	leaks     []leak
}

// leak is the ground truth of one leak.
type leak struct {
	process int
	// who may be flagged for it: functions, entries, memory metrics.
	who []string
	// groups are those in which it gathers, as indices. None if only memory
	// leaks.
	groups []int
	onset  float64
	// mixed tells that others get old in the same groups, and leave.
	mixed bool
	// bursts tells that it comes in few bursts, so that it has figures of its own.
	bursts bool
	// unseen tells that for some time nobody watches it.
	unseen bool
	// replica tells that it is one of many that are alike, or shows only in the lives of its
	// process together. Those count neither as alone nor for lateness: there would be more
	// of them than of all others.
	replica bool
}

// seeds is how many cases each family has.
const seeds = 50

// random returns the source of all chance of one case. Families differ by their
// names, so that a new one among them changes none of the others.
func random(family string, seed int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(family)) // never fails, says hash.Hash
	return rand.New(rand.NewPCG(h.Sum64(), uint64(seed)))
}

// families returns all, leaks first.
func families() []family {
	return slices.Concat(leakFamilies(), memoryLeakFamilies(), leakAmongFamilies(), leakWatchedFamilies(), leakServiceFamilies(),
		loadFamilies(), fillingFamilies(), sessionFamilies(), operationFamilies(), watchedFamilies(), serviceFamilies())
}

package main

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
)

// family is a kind of situation. Each seed makes another case of it.
type family struct {
	name  string
	hours int
	// calls means that healthy goroutines live for a quarter of an hour or less on average, so that max_lifetime
	// can be an hour.
	calls bool
	// judged is the time in minutes from which flags count.
	judged float64
	scope  scope
	make   func(r *rand.Rand) trial
}

// scope selects the detectors that are tested with a family.
type scope uint8

const (
	allDetectors scope = iota
	// serviceDetectors are those that judge a service as a whole: the census with the default max_lifetime. There
	// are many processes in each case.
	serviceDetectors
)

// trial is one case: processes that run side by side, and what leaks in them.
type trial struct {
	processes []process
	leaks     []leak
}

// leak is the ground truth of one leak.
type leak struct {
	process int
	// subjects may be flagged for the leak: functions, entries, memory metrics.
	subjects []string
	// groups has the indices of the groups in which goroutines leak, empty if only memory leaks.
	groups []int
	onset  float64
	// mixed means that healthy goroutines also become aged in the same groups, and exit.
	mixed bool
	// bursts means that the leak comes in a few bursts, and has figures of its own.
	bursts bool
	// unseen means that the leak is not watched all the time.
	unseen bool
	// replica means that the leak is one of many similar ones, or shows only over several lives of its process. Such
	// leaks do not count as alone or for lateness, since they would outnumber all others.
	replica bool
}

// seeds is the number of cases of each family.
const seeds = 50

// random returns the random source of one case. It depends on the name of the family, so that a new family does not
// change the others.
func random(family string, seed int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(family)) // never fails
	return rand.New(rand.NewPCG(h.Sum64(), uint64(seed)))
}

// families returns all families, leaks first.
func families() []family {
	return slices.Concat(leakFamilies(), memoryLeakFamilies(), leakAmongFamilies(), leakWatchedFamilies(), leakServiceFamilies(),
		loadFamilies(), fillingFamilies(), sessionFamilies(), operationFamilies(), watchedFamilies(), serviceFamilies())
}

// selectFamilies returns the families whose name contains part.
func selectFamilies(all []family, part string) []family {
	return slices.DeleteFunc(all, func(f family) bool { return !strings.Contains(f.name, part) })
}

package census

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// simulated is a process whose Ps reserve goroutine IDs like the runtime's.
type simulated struct {
	random *rand.Rand
	next   uint64 // ID of the next block
	caches [][2]uint64
	alive  map[uint64]int // group by ID; hidden is no stack
	high   uint64
}

const hidden = stack.NoGroup

func newSimulated(seed uint64, procs int) *simulated {
	return &simulated{
		random: rand.New(rand.NewPCG(seed, 1)),
		next:   1,
		caches: make([][2]uint64, procs),
		alive:  map[uint64]int{},
	}
}

func (p *simulated) start(group int) uint64 {
	cache := &p.caches[p.random.IntN(len(p.caches))]
	if cache[0] == cache[1] {
		*cache = [2]uint64{p.next, p.next + stack.IDBatchSize}
		p.next += stack.IDBatchSize
	}
	id := cache[0]
	cache[0]++
	p.alive[id] = group
	p.high = max(p.high, id)
	return id
}

// kind returns the signature of a group of the simulated process: two groups share an entry.
func kind(group int) stack.Signature {
	entry := "main.entry" + string(rune('a'+group/2))
	frames := []stack.Frame{
		{Function: "runtime.gopark"},
		{Function: "runtime.chanrecv"},
		{Function: "runtime.chanrecv1"},
		{Function: entry, File: "main.go", Line: group + 1},
	}
	signature, ok := stack.Read(frames, stack.Waiting)
	if !ok {
		panic("no signature")
	}
	return signature
}

// snapshot returns the snapshot that a trace or profile of the process would give.
func (p *simulated) snapshot(source stack.Source) *stack.Snapshot {
	s := &stack.Snapshot{Source: source}
	index := map[int]int32{}
	for _, id := range slices.Sorted(maps.Keys(p.alive)) {
		group := p.alive[id]
		g := stack.Goroutine{ID: id, Group: stack.NoGroup}
		if group == hidden {
			s.Stackless++
		} else {
			if _, ok := index[group]; !ok {
				index[group] = int32(len(s.Groups))
				s.Groups = append(s.Groups, stack.Group{Signature: kind(group)})
			}
			g.Group = index[group]
			s.Groups[g.Group].Count++
		}
		s.Goroutines = append(s.Goroutines, g)
	}
	if source == stack.SourceProfile {
		s.Goroutines = nil
		return s
	}
	s.HighestID, s.Procs = p.high, len(p.caches)
	return s
}

// churn starts fewer than come goroutines, ends one in stay, and moves others within their
// entry.
func (p *simulated) churn(groups, come, stay int) {
	for range p.random.IntN(come) {
		p.start(p.random.IntN(groups))
	}
	for _, id := range slices.Sorted(maps.Keys(p.alive)) {
		switch group := p.alive[id]; {
		case p.random.IntN(stay) == 0:
			delete(p.alive, id)
		case group != hidden && p.random.IntN(10) == 0:
			p.alive[id] = group ^ 1
		}
	}
}

// naive is the census by definition, with maps of everything.
type naive struct {
	bounds [Bands]time.Duration
	first  map[uint64]time.Time
	group  map[uint64]int
	age    map[uint64]time.Duration
	exits  map[int]*[Bands]int64
	known  map[int][Bands]int64 // exits reported before
}

func newNaive(bounds [Bands]time.Duration) *naive {
	return &naive{
		bounds,
		map[uint64]time.Time{},
		map[uint64]int{},
		map[uint64]time.Duration{},
		map[int]*[Bands]int64{},
		map[int][Bands]int64{},
	}
}

// band returns the band of an age, or notAged.
func (n *naive) band(age time.Duration) int {
	band := notAged
	for i, bound := range n.bounds {
		if age >= bound {
			band = i
		}
	}
	return band
}

func (n *naive) observe(alive map[uint64]int, at time.Time) {
	for id, age := range n.age {
		if _, ok := alive[id]; !ok {
			if band := n.band(age); band != notAged {
				n.left(n.group[id])[band]++
			}
			delete(n.first, id)
			delete(n.group, id)
			delete(n.age, id)
		}
	}
	for id, group := range alive {
		if _, ok := n.first[id]; !ok {
			n.first[id], n.group[id] = at, hidden
		}
		if group != hidden {
			n.group[id] = group
		}
		n.age[id] = at.Sub(n.first[id])
	}
}

func (n *naive) left(group int) *[Bands]int64 {
	if n.exits[group] == nil {
		n.exits[group] = new([Bands]int64)
	}
	return n.exits[group]
}

// numbers returns the numbers of a group, without SendAged and SendExits.
func (n *naive) numbers(group int) (numbers Numbers) {
	exits, known := *n.left(group), n.known[group]
	for i := range numbers.Bands {
		numbers.Bands[i].Exits, numbers.Bands[i].NewExits = exits[i], exits[i]-known[i]
	}
	n.known[group] = exits
	for id, g := range n.group {
		if g != group {
			continue
		}
		numbers.Count++
		if band := n.band(n.age[id]); band != notAged {
			numbers.Bands[band].Aged++
		}
	}
	return numbers
}

// unsent returns n without SendAged and SendExits.
func unsent(n Numbers) Numbers {
	for i := range n.Bands {
		n.Bands[i].SendAged, n.Bands[i].SendExits = false, false
	}
	return n
}

// levels returns, for each bound, how many goroutines are at least that old, and how many exited
// at that age.
func levels(n Numbers) (aged [Bands]int, exits [Bands]int64) {
	for i := Bands - 1; i >= 0; i-- {
		aged[i], exits[i] = n.Bands[i].Aged, n.Bands[i].Exits
		if i < Bands-1 {
			aged[i] += aged[i+1]
			exits[i] += exits[i+1]
		}
	}
	return aged, exits
}

// TestAgreesWithDefinition compares the census with its definition over a long random history in
// which goroutines hide, move, and get IDs from the caches of Ps.
//
// If the snapshots are further apart than 1/64 of the highest bound, both must agree exactly.
// Otherwise the census must be between the definition with these bounds and that with bounds
// higher by 1/64.
func TestAgreesWithDefinition(t *testing.T) {
	const groups = 8
	for _, test := range []struct {
		name      string
		agedAfter time.Duration
		every     time.Duration // from look to look, at least, and not five times that
		looks     int
		churn     int // every so many looks
		stay      int
		exact     bool
	}{
		{"each look is a cohort", 20 * time.Second, 20 * time.Second, 200, 1, 25, true},
		{"the aged share cohorts", 10 * time.Minute, 20 * time.Second, 2000, 20, 30, false},
		{"all share cohorts", 30 * time.Second, 400 * time.Millisecond, 3000, 60, 20, false},
	} {
		procsToTry := []int{1, 2, 16}
		if !test.exact { // which takes long
			procsToTry = []int{2}
		}
		for _, procs := range procsToTry {
			t.Run(test.name+"/procs="+strconv.Itoa(procs), func(t *testing.T) {
				t.Parallel()
				p := newSimulated(uint64(procs), procs)
				c := New(test.agedAfter, 100)
				upper, lower := Bounds(test.agedAfter), Bounds(test.agedAfter)
				if !test.exact {
					for i := range lower {
						lower[i] += lower[i]/64 + Bands // rounded up in each
					}
				}
				most, least := newNaive(upper), newNaive(lower)
				at := noon
				for look := range test.looks {
					if look%test.churn == 0 {
						p.churn(groups, 20, test.stay)
					}
					shown := maps.Clone(p.alive)
					for _, id := range slices.Sorted(maps.Keys(shown)) {
						if p.random.IntN(100) == 0 {
							p.alive[id] = hidden
						}
					}
					at = at.Add(test.every + time.Duration(p.random.Int64N(int64(4*test.every))))
					most.observe(p.alive, at)
					least.observe(p.alive, at)
					if p.random.IntN(20) == 0 {
						c.Reconnected()
					}
					r := c.Observe(p.snapshot(stack.SourceTrace), at)
					p.alive = shown

					if r.Restarted {
						t.Fatal("one process taken for two")
					}
					checkSums(t, r)
					for group := hidden; group < groups; group++ {
						got := otherGroup(r)
						if group != hidden {
							got = groupNumbers(r, kind(group))
						}
						high, low := most.numbers(group), least.numbers(group)
						if high.Count > 0 || got != (Numbers{}) { // else it may have been dropped
							checkBetween(t, unsent(got), low, high)
						}
					}
				}
			})
		}
	}
}

// checkBetween checks that the levels of got are between those of least and most.
func checkBetween(t *testing.T, got, least, most Numbers) {
	t.Helper()
	if least == most {
		if got != most {
			t.Fatalf("%+v, want %+v", got, most)
		}
		return
	}
	aged, exits := levels(got)
	leastAged, leastExits := levels(least)
	mostAged, mostExits := levels(most)
	for i := range Bands {
		if got.Count != most.Count || aged[i] < leastAged[i] || aged[i] > mostAged[i] || exits[i] < leastExits[i] || exits[i] > mostExits[i] {
			t.Fatalf("at bound %d: %+v, want it between %+v and %+v", i, got, least, most)
		}
	}
}

// checkSums checks the invariants of a report.
func checkSums(t *testing.T, r Report) {
	t.Helper()
	var groups, entries Numbers
	for _, g := range r.Groups {
		checkNumbers(t, g.Numbers, r.Complete)
		groups.add(g.Numbers)
	}
	for _, e := range r.Entries {
		checkNumbers(t, e.Numbers, r.Complete)
		entries.add(e.Numbers)
	}
	if groups.Count != r.Count || entries.Count != r.Count {
		t.Fatalf("groups add up to %d, entries to %d, of %d goroutines", groups.Count, entries.Count, r.Count)
	}
	for i := range Bands {
		if groups.Bands[i].Aged != entries.Bands[i].Aged {
			t.Fatalf("band %d: groups have %d aged, entries %d", i, groups.Bands[i].Aged, entries.Bands[i].Aged)
		}
	}
}

// checkNumbers checks the invariants of a row.
func checkNumbers(t *testing.T, n Numbers, complete bool) {
	t.Helper()
	aged := 0
	for i, b := range n.Bands {
		aged += b.Aged
		if b.Exits < 0 || b.NewExits < 0 || b.NewExits > b.Exits || complete && b.Aged < 0 {
			t.Fatalf("impossible numbers: %+v", n)
		}
		switch lowest := i == 0; {
		case !complete:
			if b.SendAged || b.SendExits {
				t.Fatalf("sent without ages: %+v", n)
			}
		case (lowest || b.Aged > 0) && !b.SendAged, b.SendExits != (lowest || b.Exits > 0):
			t.Fatalf("wrongly sent: %+v", n)
		}
	}
	if n.Count < 0 || complete && aged > n.Count {
		t.Fatalf("impossible numbers: %+v", n)
	}
}

func (n *Numbers) add(m Numbers) {
	n.Count += m.Count
	for i, b := range m.Bands {
		n.Bands[i].Aged += b.Aged
		n.Bands[i].Exits += b.Exits
	}
}

// totals are numbers with the sums of all bands.
type totals struct {
	Count, Aged     int
	Exits, NewExits int64
}

func totalsOf(n Numbers) totals {
	sum := totals{Count: n.Count}
	for _, b := range n.Bands {
		sum.Aged += b.Aged
		sum.Exits += b.Exits
		sum.NewExits += b.NewExits
	}
	return sum
}

func groupTotals(r Report, s stack.Signature) totals {
	return totalsOf(groupNumbers(r, s))
}

func groupNumbers(r Report, s stack.Signature) Numbers {
	for _, g := range r.Groups {
		if !g.Other && g.Signature.ID == s.ID {
			return g.Numbers
		}
	}
	return Numbers{}
}

func otherGroup(r Report) Numbers {
	for _, g := range r.Groups {
		if g.Other {
			return g.Numbers
		}
	}
	return Numbers{}
}

package census

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// simulated is a process whose Ps draw goroutine IDs as the runtime's do.
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
		*cache = [2]uint64{p.next, p.next + idBatch}
		p.next += idBatch
	}
	id := cache[0]
	cache[0]++
	p.alive[id] = group
	p.high = max(p.high, id)
	return id
}

// kinds are the groups that the simulated process has: two signatures an entry.
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

// snapshot is what a trace of the process would show, or a profile.
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

// churn lets goroutines come, go, move within their entry, and hide for once.
func (p *simulated) churn(groups int) {
	for range p.random.IntN(40) {
		p.start(p.random.IntN(groups))
	}
	for _, id := range slices.Sorted(maps.Keys(p.alive)) {
		switch group := p.alive[id]; {
		case p.random.IntN(25) == 0:
			delete(p.alive, id)
		case group != hidden && p.random.IntN(10) == 0:
			p.alive[id] = group ^ 1
		}
	}
}

// naive is the census by its definition, a map of everything.
type naive struct {
	first map[uint64]time.Time
	group map[uint64]int
	aged  map[uint64]bool
	exits map[int]int64
	known map[int]int64 // exits that were asked for
}

func (n *naive) observe(alive map[uint64]int, at time.Time, agedAfter time.Duration) {
	for id := range n.first {
		if _, ok := alive[id]; !ok {
			if n.aged[id] {
				n.exits[n.group[id]]++
			}
			delete(n.first, id)
			delete(n.group, id)
			delete(n.aged, id)
		}
	}
	for id, group := range alive {
		if _, ok := n.first[id]; !ok {
			n.first[id], n.group[id] = at, hidden
		}
		if group != hidden {
			n.group[id] = group
		}
		n.aged[id] = at.Sub(n.first[id]) >= agedAfter
	}
}

func (n *naive) numbers(group int) Numbers {
	numbers := Numbers{Exits: n.exits[group], NewExits: n.exits[group] - n.known[group]}
	n.known[group] = n.exits[group]
	for id, g := range n.group {
		if g == group {
			numbers.Count++
			if n.aged[id] {
				numbers.Aged++
			}
		}
	}
	return numbers
}

// TestAgreesWithDefinition compares the census with its definition over a long
// random life, while goroutines hide, move and share IDs out of caches.
func TestAgreesWithDefinition(t *testing.T) {
	const groups, agedAfter = 8, 10 * time.Minute
	for _, procs := range []int{1, 2, 16} {
		for seed := range uint64(4) {
			p := newSimulated(seed, procs)
			c := New(agedAfter, 100)
			n := naive{map[uint64]time.Time{}, map[uint64]int{}, map[uint64]bool{}, map[int]int64{}, map[int]int64{}}
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for range 200 {
				p.churn(groups)
				shown := maps.Clone(p.alive)
				for _, id := range slices.Sorted(maps.Keys(shown)) {
					if p.random.IntN(100) == 0 {
						p.alive[id] = hidden
					}
				}
				at = at.Add(time.Duration(20+p.random.IntN(80)) * time.Second)
				n.observe(p.alive, at, agedAfter)
				if p.random.IntN(20) == 0 {
					c.Reconnected()
				}
				r := c.Observe(p.snapshot(stack.SourceTrace), at)
				p.alive = shown

				if r.Restarted {
					t.Fatalf("procs %d, seed %d: one process taken for two", procs, seed)
				}
				checkSums(t, r)
				for group := range groups {
					if got, want := groupNumbers(r, kind(group)), n.numbers(group); got != want {
						t.Fatalf("procs %d, seed %d, group %d: %+v, want %+v", procs, seed, group, got, want)
					}
				}
				if got, want := otherGroup(r), n.numbers(hidden); got != want {
					t.Fatalf("procs %d, seed %d, without a stack: %+v, want %+v", procs, seed, got, want)
				}
			}
		}
	}
}

// checkSums checks what holds of every report.
func checkSums(t *testing.T, r Report) {
	t.Helper()
	var groups, entries Numbers
	for _, g := range r.Groups {
		groups.add(g.Numbers)
		if g.Count < 0 || r.Complete && (g.Aged < 0 || g.Aged > g.Count) || g.Exits < 0 {
			t.Fatalf("impossible numbers: %+v", g)
		}
	}
	for _, e := range r.Entries {
		entries.add(e.Numbers)
		if e.Count < 0 || r.Complete && (e.Aged < 0 || e.Aged > e.Count) || e.Exits < 0 {
			t.Fatalf("impossible numbers: %+v", e)
		}
	}
	if groups.Count != r.Count || entries.Count != r.Count {
		t.Fatalf("groups sum up to %d, entries to %d, of %d goroutines", groups.Count, entries.Count, r.Count)
	}
	if groups.Aged != entries.Aged {
		t.Fatalf("groups have %d aged, entries %d", groups.Aged, entries.Aged)
	}
}

func (n *Numbers) add(m Numbers) {
	n.Count += m.Count
	n.Aged += m.Aged
	n.Exits += m.Exits
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

package census

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// What makes a group a candidate. They ask for a fraction of what a verdict does: a trace
// for nothing costs a second of tracing, and one that comes late holds no birth of a leak
// that has ended.
const (
	candidateSteps    = 3
	candidateArrivals = 5
)

// Candidate is a group that gathers, or an entry.
type Candidate struct {
	// Signature is the group. Of an entry only its Entry is filled.
	Signature stack.Signature
	// PerHour is how many goroutines an hour have come to the age at which it gathers, since
	// the first of them.
	PerHour float64
}

// Candidates tells which groups of a process gather, so that it is worth a trace to learn
// where their goroutines come from: goroutines have come to one of the ages in three
// separate looks, five of them at least, and fewer than half as many of that age have left.
// Those that were there when the watching began are no arrivals.
//
// It judges nothing: most candidates are pools and sessions. The zero value is ready, and not
// safe for concurrent use.
type Candidates struct {
	groups  map[stack.ID]*gathering
	entries map[string]*gathering
	last    time.Time // of the look before; zero if there was none of this process
}

// gathering is what is seen of a group from look to look, for all that are at least as old as
// the bound of each band.
type gathering [Bands]struct {
	// most is the most that have ever been there or left: those of a pool that now work and
	// now wait come again and again, and arrive once.
	most           int64
	exits          int64
	arrivals, left int64
	steps          int
	// first is when the first arrived, since the start of the process.
	first time.Duration
}

// Observe takes the census of the next look, and returns the groups that are candidates, and
// the entries that are while none of their groups is. Without ages it returns none.
func (c *Candidates) Observe(r *Report, at time.Time) (groups, entries []Candidate) {
	if !r.Complete {
		return nil, nil
	}
	if r.Restarted || c.groups == nil {
		*c = Candidates{groups: make(map[stack.ID]*gathering), entries: make(map[string]*gathering)}
	}
	watched := time.Duration(-1)
	if !c.last.IsZero() {
		watched = c.last.Sub(r.Start)
	}
	c.last = at
	now := at.Sub(r.Start)
	seenGroups, seenEntries := make(map[stack.ID]*gathering), make(map[string]*gathering)
	for _, e := range r.Entries {
		if !e.Other {
			seenEntries[e.Function] = c.entries[e.Function].next(e.Numbers, r.Bounds, watched, now)
		}
	}
	known := make(map[string]bool)
	for _, g := range r.Groups {
		if g.Other {
			continue
		}
		id, entry := g.Signature.ID, seenEntries[g.Signature.Entry]
		seenGroups[id] = c.groups[id].next(g.Numbers, r.Bounds, watched, now)
		if perHour, ok := seenGroups[id].gathers(entry, now); ok {
			groups = append(groups, Candidate{g.Signature, perHour})
			known[g.Signature.Entry] = true
		}
	}
	for function, e := range seenEntries {
		if perHour, ok := e.gathers(nil, now); ok && !known[function] {
			entries = append(entries, Candidate{stack.Signature{Entry: function}, perHour})
		}
	}
	c.groups, c.entries = seenGroups, seenEntries
	slices.SortFunc(groups, func(a, b Candidate) int { return cmp.Compare(a.Signature.ID, b.Signature.ID) })
	slices.SortFunc(entries, func(a, b Candidate) int { return cmp.Compare(a.Signature.Entry, b.Signature.Entry) })
	return groups, entries
}

// next returns what is seen of a group after another look. Until the look before this one it
// had been watched for so long; what comes to an age that is older than that was there when
// the watching began. Ages are known to within a cohort.
func (g *gathering) next(n Numbers, bounds [Bands]time.Duration, watched, now time.Duration) *gathering {
	if g == nil {
		g = new(gathering)
	}
	aged, exits := 0, int64(0)
	for k := Bands - 1; k >= 0; k-- {
		aged += n.Bands[k].Aged
		exits += n.Bands[k].Exits
		age := &g[k]
		arrived := int64(aged) + exits - age.most
		if watched >= bounds[k]+bounds[k]/cohortsPerBound && arrived > 0 {
			if age.steps == 0 {
				age.first = now
			}
			age.arrivals += arrived
			age.steps++
		}
		if age.steps > 0 {
			age.left += exits - age.exits
		}
		age.most, age.exits = max(age.most, int64(aged)+exits), exits
	}
	return g
}

// gathers tells whether a group is a candidate, and how fast it gathers. Its entry, if it is known, must have more
// goroutines too: those of a pool that go from one line to another only seem to arrive.
func (g *gathering) gathers(entry *gathering, now time.Duration) (perHour float64, ok bool) {
	for k, age := range g {
		if g.arrive(k) && (entry == nil || entry.arrive(k)) && 2*age.left < age.arrivals {
			return float64(age.arrivals) / (now - age.first).Hours(), true
		}
	}
	return 0, false
}

// arrive tells whether enough have come to an age, and separately enough.
func (g *gathering) arrive(k int) bool {
	return g[k].steps >= candidateSteps && g[k].arrivals >= candidateArrivals
}

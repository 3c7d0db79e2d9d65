package census

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Thresholds of a candidate, far below those of a verdict: a needless trace costs a second of
// tracing, but a late trace may miss all births of a leak that has ended.
const (
	candidateSteps    = 3
	candidateArrivals = 5
)

// Candidate is a group or an entry that accumulates goroutines.
type Candidate struct {
	// Signature is the group. For an entry only Signature.Entry is set.
	Signature stack.Signature
	// PerHour is how many goroutines an hour have reached the age at which they accumulate,
	// since the first of them.
	PerHour float64
}

// Candidates finds the groups of a process that accumulate goroutines, so that it is worth
// tracing where they come from: in one of the age bands goroutines arrived in at least three
// reports, at least five in all, and fewer than half as many left. Goroutines that existed
// before the first report are not arrivals.
//
// This is not a verdict: most candidates are pools and sessions. The zero value is ready to
// use. Candidates is not safe for concurrent use.
type Candidates struct {
	groups  histories[stack.ID]
	entries histories[string]
	last    time.Time // time of the previous report; zero if there was none of this process
}

// histories are those of the latest report, by key.
type histories[K cmp.Ordered] []keyed[K]

type keyed[K cmp.Ordered] struct {
	key K
	gathering
}

// of returns the gathering of a key, or nil.
func (h histories[K]) of(key K) *gathering {
	i, known := slices.BinarySearchFunc(h, key, func(k keyed[K], key K) int { return cmp.Compare(k.key, key) })
	if !known {
		return nil
	}
	return &h[i].gathering
}

func (h histories[K]) sort() {
	slices.SortFunc(h, func(a, b keyed[K]) int { return cmp.Compare(a.key, b.key) })
}

// gathering is the history of a group, for the goroutines that are at least as old as the bound
// of each band.
type gathering struct {
	// most is the highest sum of present goroutines and exits: goroutines of a pool that
	// alternate between work and wait come back again and again, but arrive once.
	most  [Bands]int64
	exits [Bands]int64
	// arrivals is nil while there are none, as in most groups.
	arrivals *[Bands]arrivals
}

// arrivals are the goroutines that have reached a band.
type arrivals struct {
	count, left int64
	steps       int
	// first is when the first goroutine arrived, since the start of the process.
	first time.Duration
}

// Observe adds the next report of the process. It returns the groups that are candidates, and
// the entries that are while none of their groups is. If r is not Complete, it returns none.
func (c *Candidates) Observe(r *Report, at time.Time) (groups, entries []Candidate) {
	if !r.Complete {
		return nil, nil
	}
	if r.Restarted {
		*c = Candidates{}
	}
	watched := time.Duration(-1)
	if !c.last.IsZero() {
		watched = c.last.Sub(r.Start)
	}
	c.last = at
	now := at.Sub(r.Start)
	seenGroups, seenEntries := make(histories[stack.ID], 0, len(r.Groups)), make(histories[string], 0, len(r.Entries))
	for _, e := range r.Entries {
		if !e.Other {
			seenEntries = append(seenEntries, keyed[string]{e.Function, c.entries.of(e.Function).next(e.Numbers, r.Bounds, watched, now)})
		}
	}
	seenEntries.sort()
	known := make(map[string]bool)
	for _, g := range r.Groups {
		if g.Other {
			continue
		}
		id := g.Signature.ID
		seen := c.groups.of(id).next(g.Numbers, r.Bounds, watched, now)
		seenGroups = append(seenGroups, keyed[stack.ID]{id, seen})
		if perHour, ok := seen.gathers(seenEntries.of(g.Signature.Entry), now); ok {
			groups = append(groups, Candidate{g.Signature, perHour})
			known[g.Signature.Entry] = true
		}
	}
	seenGroups.sort()
	for _, e := range seenEntries {
		if perHour, ok := e.gathers(nil, now); ok && !known[e.key] {
			entries = append(entries, Candidate{stack.Signature{Entry: e.key}, perHour})
		}
	}
	c.groups, c.entries = seenGroups, seenEntries
	slices.SortFunc(groups, func(a, b Candidate) int { return cmp.Compare(a.Signature.ID, b.Signature.ID) })
	return groups, entries
}

// next returns the history with a report added. watched is the time from the first report to the
// previous one; goroutines that reach a higher age existed before the first report. Ages are
// accurate to within a cohort.
func (g *gathering) next(n Numbers, bounds [Bands]time.Duration, watched, now time.Duration) (next gathering) {
	if g != nil {
		next = *g
	}
	aged, exits := 0, int64(0)
	for k := Bands - 1; k >= 0; k-- {
		aged += n.Bands[k].Aged
		exits += n.Bands[k].Exits
		arrived := int64(aged) + exits - next.most[k]
		if watched >= bounds[k]+bounds[k]/cohortsPerBound && arrived > 0 {
			next.arrive(k, arrived, now)
		}
		if next.arrivals != nil && next.arrivals[k].steps > 0 {
			next.arrivals[k].left += exits - next.exits[k]
		}
		next.most[k], next.exits[k] = max(next.most[k], int64(aged)+exits), exits
	}
	return next
}

// arrive counts goroutines that have reached band k.
func (g *gathering) arrive(k int, count int64, now time.Duration) {
	if g.arrivals == nil {
		g.arrivals = new([Bands]arrivals)
	}
	a := &g.arrivals[k]
	if a.steps == 0 {
		a.first = now
	}
	a.count += count
	a.steps++
}

// gathers reports whether a group is a candidate, and its growth per hour. Its entry, if known,
// must grow too: goroutines of a pool that move from one line to another only seem to arrive.
func (g *gathering) gathers(entry *gathering, now time.Duration) (perHour float64, ok bool) {
	for k := range Bands {
		if !g.enough(k) || entry != nil && !entry.enough(k) {
			continue
		}
		if a := g.arrivals[k]; 2*a.left < a.count {
			return float64(a.count) / (now - a.first).Hours(), true
		}
	}
	return 0, false
}

// enough reports whether enough goroutines have reached band k, in enough reports.
func (g *gathering) enough(k int) bool {
	return g.arrivals != nil && g.arrivals[k].steps >= candidateSteps && g.arrivals[k].count >= candidateArrivals
}

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
	groups  map[stack.ID]*gathering
	entries map[string]*gathering
	last    time.Time // time of the previous report; zero if there was none of this process
}

// gathering is the history of a group, for the goroutines that are at least as old as the bound
// of each band.
type gathering [Bands]struct {
	// most is the highest sum of present goroutines and exits: goroutines of a pool that
	// alternate between work and wait come back again and again, but arrive once.
	most           int64
	exits          int64
	arrivals, left int64
	steps          int
	// first is when the first goroutine arrived, since the start of the process.
	first time.Duration
}

// Observe adds the next report of the process. It returns the groups that are candidates, and
// the entries that are while none of their groups is. If r is not Complete, it returns none.
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

// next adds a report. watched is the time from the first report to the previous one; goroutines
// that reach a higher age existed before the first report. Ages are accurate to within a cohort.
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

// gathers reports whether a group is a candidate, and its growth per hour. Its entry, if known,
// must grow too: goroutines of a pool that move from one line to another only seem to arrive.
func (g *gathering) gathers(entry *gathering, now time.Duration) (perHour float64, ok bool) {
	for k, age := range g {
		if g.arrive(k) && (entry == nil || entry.arrive(k)) && 2*age.left < age.arrivals {
			return float64(age.arrivals) / (now - age.first).Hours(), true
		}
	}
	return 0, false
}

// arrive reports whether enough goroutines have reached band k, in enough reports.
func (g *gathering) arrive(k int) bool {
	return g[k].steps >= candidateSteps && g[k].arrivals >= candidateArrivals
}

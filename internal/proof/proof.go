// Package proof turns the runtime's leak profiles into reliable counts.
//
// A leak profile lists goroutines that wait for something unreachable, which proves that they
// leak. But a single profile is not enough: counts vary by one between profiles
// (golang/go#79452), since a goroutine may temporarily seem reachable. So a count changes only
// if two consecutive profiles agree.
//
// It is pure: snapshots in, numbers out.
package proof

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Proof is the leaked goroutines of one process, according to its leak profiles. It is not safe for
// concurrent use.
type Proof struct {
	maxRows   int
	groups    map[stack.ID]*group
	stackless stableCount
}

// group is a group that a profile has listed.
type group struct {
	signature stack.Signature
	stableCount
}

// stableCount smooths a count that varies by chance.
type stableCount struct {
	last   int // in the latest profile
	proven int
}

// observe adds the count of the next profile. proven rises to the minimum of two consecutive counts,
// and falls to their maximum.
func (l *stableCount) observe(count int) {
	least, most := min(l.last, count), max(l.last, count)
	l.proven = min(max(l.proven, least), most)
	l.last = count
}

// Row is the number of leaked goroutines of a group.
type Row struct {
	Signature stack.Signature
	// Other marks the sum of all groups without a row of their own. It has no signature and
	// is always present.
	Other bool
	// Count is the number of goroutines proved to be leaked.
	Count int
}

// New returns an empty Proof with at most maxRows rows, plus one for all others.
func New(maxRows int) *Proof {
	return &Proof{maxRows: maxRows, groups: make(map[stack.ID]*group)}
}

// Observe adds the next leak profile of the process. It returns a row for each of the largest groups
// with leaked goroutines, and always one for all others, which distinguishes the absence of leaks
// from the absence of profiles.
func (p *Proof) Observe(s *stack.Snapshot) []Row {
	counts := make(map[stack.ID]int, len(s.Groups))
	for _, g := range s.Groups {
		if isMainParked(g.Signature) {
			continue
		}
		counts[g.ID] += g.Count
		if p.groups[g.ID] == nil {
			p.groups[g.ID] = &group{signature: g.Signature}
		}
	}
	for id, g := range p.groups {
		g.observe(counts[id])
		if g.last == 0 && g.proven == 0 {
			delete(p.groups, id)
		}
	}
	p.stackless.observe(s.Stackless)
	return p.rows()
}

func (p *Proof) rows() []Row {
	var proven []*group
	for _, g := range p.groups {
		if g.proven > 0 {
			proven = append(proven, g)
		}
	}
	slices.SortFunc(proven, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.proven, a.proven), cmp.Compare(a.signature.ID, b.signature.ID))
	})
	others := Row{Other: true, Count: p.stackless.proven}
	var rows []Row
	for _, g := range proven {
		if len(rows) == p.maxRows {
			others.Count += g.proven
			continue
		}
		rows = append(rows, Row{Signature: g.signature, Count: g.proven})
	}
	return append(rows, others)
}

// isMainParked reports whether a group is the main goroutine in select{}, as in many services. The
// runtime considers that a leak.
func isMainParked(s stack.Signature) bool {
	return s.Entry == "main.main" && s.State == stack.StateSelectNoCases
}

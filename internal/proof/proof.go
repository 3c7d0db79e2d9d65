// Package proof makes of the runtime's leak profiles what can be relied upon.
//
// A leak profile names goroutines that wait for what nobody can reach any more: a
// proof, not a guess. But one profile is not enough. Counts waver by one from one
// profile to the next (golang/go#79452), because a goroutine can seem to come back
// to life. So what is told changes only when two profiles running agree that it has.
//
// It is pure: snapshots in, numbers out.
package proof

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Proof is what the leak profiles of one process have proved. It is not safe for
// concurrent use.
type Proof struct {
	maxRows   int
	groups    map[stack.ID]*group
	stackless level
}

// group is one that has been named.
type group struct {
	signature stack.Signature
	level
}

// level is a count that wavers.
type level struct {
	last   int // in the latest profile
	proven int
}

// observe takes in the count of the next profile. What is proven rises to what two
// running have at least, and falls to what they have at most.
func (l *level) observe(count int) {
	least, most := min(l.last, count), max(l.last, count)
	l.proven = min(max(l.proven, least), most)
	l.last = count
}

// Row is what is told of a group.
type Row struct {
	Signature stack.Signature
	// Other marks the sum of all groups that have no row of their own. It has
	// no signature, and is always there.
	Other bool
	// Count is the number of goroutines that are proved to be leaked.
	Count int
}

// New returns the proof of a process of which no profile has been seen yet. There
// are at most maxRows rows, and one for all others.
func New(maxRows int) *Proof {
	return &Proof{maxRows: maxRows, groups: make(map[stack.ID]*group)}
}

// Observe takes in the next leak profile of the process, and returns what is proved:
// a row for each of the largest groups with any, and one for all others, even if
// nothing is. That tells that no leak was found from that nobody looked.
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

// isMainParked tells whether a group is the main goroutine in select{}, where many
// services keep it. The runtime calls that a leak.
func isMainParked(s stack.Signature) bool {
	return s.Entry == "main.main" && s.State == stack.StateSelectNoCases
}

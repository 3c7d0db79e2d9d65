package census

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// process is what tells one process from the next at the same address.
type process struct {
	own     bool // the caller's, which cannot be replaced
	seen    bool
	highest uint64 // goroutine ID
	procs   int    // the highest GOMAXPROCS
}

// idBlock is the number of IDs that a P draws from the runtime at once
// (_GoidCacheBatch in runtime/proc.go).
const idBlock = 16

// observe takes what the snapshot says of the process and returns how many
// goroutines were created since the snapshot before.
func (p *process) observe(s *stack.Snapshot) (created int64) {
	highest := max(p.highest, s.HighestID)
	if p.seen {
		created = int64(highest - p.highest)
	}
	p.seen, p.highest = true, highest
	p.procs = max(p.procs, s.Procs)
	return created
}

// change is what differs between the list and a snapshot, as far as it can tell
// a new process.
type change struct {
	highest uint64 // goroutine ID seen before
	procs   int    // GOMAXPROCS now

	otherEntry bool   // a known ID has another entry
	newest     uint64 // ID of the newest newcomer
	blocks     int    // of IDs at or below highest, that have newcomers
	lastBlock  uint64 // plus 1; newcomers come in the order of their IDs
	agedStayed int
	agedGone   int
}

func (c *change) stayed(aged, sameEntry bool) {
	if !sameEntry {
		c.otherEntry = true
	}
	if aged {
		c.agedStayed++
	}
}

// newcomer notes a goroutine that the list does not know. IDs ascend.
func (c *change) newcomer(id uint64) {
	c.newest = id
	if block := (id-1)/idBlock + 1; id <= c.highest && block != c.lastBlock {
		c.blocks++
		c.lastBlock = block
	}
}

// replaced tells whether the snapshot is of another process than the list. In
// doubt it is the same one: ages come from the list and not from IDs, so little
// can go wrong.
//
//   - A known ID with another entry cannot be: IDs are never used twice.
//   - Newcomers below the highest ID seen are drawn from blocks that a P had
//     begun, and a P has only one of these.
//   - Behind a new connection, newcomers that are all old by their IDs, while
//     half of the aged goroutines have left at once.
func (p *process) replaced(c *change, newConnection bool) bool {
	if !p.seen || p.own {
		return false
	}
	procs := max(c.procs, p.procs)
	switch {
	case c.otherEntry:
		return true
	case procs > 0 && c.blocks > procs:
		return true
	}
	aged := c.agedStayed + c.agedGone
	return newConnection && c.newest != 0 && c.newest < p.highest && aged > 0 && 2*c.agedGone >= aged
}

// ofRuntime tells an entry in package runtime. Such a goroutine is counted only
// while it calls a finalizer or a cleanup of the user's, so it comes into sight
// long after it was created.
func ofRuntime(entry string) bool {
	return strings.HasPrefix(entry, "runtime.")
}

package census

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// process is what tells one process from the next at the same address.
type process struct {
	own     bool // the caller's, which cannot be replaced
	traced  bool // there was a trace of it
	highest uint64
	procs   int    // the highest GOMAXPROCS
	build   string // build ID; empty is unknown
	// A new connection is a sign for the next snapshot of either source. Since the
	// signs in a profile are weaker, it remains one for the next trace.
	reconnected, reconnectedSinceTrace bool
}

// idBlock is the number of IDs that a P draws from the runtime at once
// (_GoidCacheBatch in runtime/proc.go).
const idBlock = 16

// observe takes in what the snapshot says of the process and returns how many
// goroutines were created since the trace before.
func (p *process) observe(s *stack.Snapshot) (created int64) {
	p.reconnected = false
	if s.Build != "" {
		p.build = s.Build
	}
	if s.Source != stack.SourceTrace {
		return 0
	}
	highest := max(p.highest, s.HighestID)
	if p.traced {
		created = int64(highest - p.highest)
	}
	p.reconnectedSinceTrace = false
	p.traced, p.highest = true, highest
	p.procs = max(p.procs, s.Procs)
	return created
}

// change is what differs between the list and a trace, as far as it can tell a new
// process.
type change struct {
	highest uint64 // goroutine ID seen before
	procs   int    // GOMAXPROCS now

	otherEntries int    // known IDs that have another entry
	newest       uint64 // ID of the newest newcomer
	blocks       int    // of IDs at or below highest, that have newcomers
	lastBlock    uint64 // plus 1; newcomers come in the order of their IDs
	agedStayed   int
	agedGone     int
}

func (c *change) stayed(aged, sameEntry bool) {
	if !sameEntry {
		c.otherEntries++
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

// otherEntriesOfAnother is how many known IDs must have another entry before the
// process is taken for another one. An ID is never used twice, so one should do; but
// one stack that was read wrongly would then cost all ages of a process.
const otherEntriesOfAnother = 2

// replaced reports whether a trace is of another process than the list. In doubt it
// is the same one: ages come from the list and not from IDs, so little can go wrong.
//
//   - Known IDs with another entry cannot be: IDs are never used twice.
//   - Newcomers below the highest ID seen are drawn from blocks that a P had
//     begun, and a P has only one of these.
//   - Behind a new connection, newcomers that are all old by their IDs, while
//     half of the aged goroutines have left at once.
func (p *process) replaced(c *change) bool {
	if !p.traced || p.own {
		return false
	}
	procs := max(c.procs, p.procs)
	switch {
	case c.otherEntries >= otherEntriesOfAnother:
		return true
	case procs > 0 && c.blocks > procs:
		return true
	}
	aged := c.agedStayed + c.agedGone
	return p.reconnectedSinceTrace && c.newest != 0 && c.newest < p.highest && aged > 0 && 2*c.agedGone >= aged
}

// replacedInProfile reports whether a profile is of another process than the
// snapshot before. A profile has no IDs. What it can tell is the build, and, behind a
// new connection, that at least half of the residents are gone: those that were there
// in every snapshot for a while, as the aged are in traces.
func (p *process) replacedInProfile(build string, residents, gone int) bool {
	switch {
	case p.own:
		return false
	case build != "" && p.build != "" && build != p.build:
		return true
	}
	return p.reconnected && residents > 0 && 2*gone >= residents
}

// ofRuntime reports whether an entry is in package runtime. Such a goroutine is
// counted only while it calls a finalizer or a cleanup of the user's, so it comes into
// sight long after it was created.
func ofRuntime(entry string) bool {
	return strings.HasPrefix(entry, "runtime.")
}

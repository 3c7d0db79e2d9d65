package census

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// process is what tells one process from the next at the same address.
type process struct {
	own      bool          // the caller's, which cannot be replaced
	traced   bool          // there was a trace of it
	tracedAt time.Duration // the latest trace
	highest  uint64
	procs    int    // the highest GOMAXPROCS
	build    string // build ID; empty is unknown
	// A new connection is a sign for the next snapshot of either source. Since the
	// signs in a profile are weaker, it remains one for the next trace.
	reconnected, reconnectedSinceTrace bool
}

// idBatch is the number of IDs that a P draws from the runtime at once
// (_GoidCacheBatch in runtime/proc.go).
const idBatch = 16

// observe takes in what the snapshot says of the process and returns how many
// goroutines were created since the trace before.
func (p *process) observe(s *stack.Snapshot, now time.Duration) (created int64) {
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
	p.traced, p.tracedAt, p.highest = true, now, highest
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
	// batches is the least number of batches of IDs that the newcomers at or below
	// highest can come from, and batchEnd where the last of them ends at most.
	batches    int
	batchEnd   uint64
	agedStayed int
	agedGone   int
}

func (c *change) stayed(aged, sameEntry bool) {
	if !sameEntry {
		c.otherEntries++
	}
	if aged {
		c.agedStayed++
	}
}

// newcomer notes a goroutine that the list does not know. IDs ascend. A batch may begin
// anywhere: with cgo the runtime draws single IDs for the threads of C in between.
func (c *change) newcomer(id uint64) {
	c.newest = id
	if id <= c.highest && id >= c.batchEnd {
		c.batches++
		c.batchEnd = id + idBatch
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
//   - Newcomers below the highest ID seen are drawn from batches that a P had
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
	case procs > 0 && c.batches > procs:
		return true
	}
	aged := c.agedStayed + c.agedGone
	return p.reconnectedSinceTrace && c.newest != 0 && c.newest < p.highest && aged > 0 && 2*c.agedGone >= aged
}

// replacedInProfile reports whether a profile is of another process than the snapshot
// before. A profile has no IDs. What it can tell behind a new connection is that the build
// is another one, or that at least half of the residents are gone: those that their entry
// had in every snapshot for a while, as the aged are in traces.
//
// The build alone says nothing. The runtime reads it anew for each profile, from the file
// that is now where the process found its binary. And a profile that takes the place of a
// trace now and then decides nothing: the next trace knows better.
func (p *process) replacedInProfile(build string, residents, gone int, now, agedAfter time.Duration) bool {
	if p.own || !p.reconnected || p.traced && now-p.tracedAt < agedAfter {
		return false
	}
	anotherBuild := build != "" && p.build != "" && build != p.build
	return anotherBuild || residents > 0 && 2*gone >= residents
}

// ofRuntime reports whether an entry is in package runtime. Such a goroutine is
// counted only while it calls a finalizer or a cleanup of the user's, so it comes into
// sight long after it was created.
func ofRuntime(entry string) bool {
	return strings.HasPrefix(entry, "runtime.")
}

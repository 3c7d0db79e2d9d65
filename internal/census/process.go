package census

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// process is the state by which a new process at the same address is detected.
type process struct {
	isOwn    bool          // the caller's, which cannot be replaced
	traced   bool          // there was a trace of it
	tracedAt time.Duration // the latest trace
	highest  uint64
	procs    int    // the highest GOMAXPROCS
	build    string // build ID; empty if unknown
	// A new connection is a sign for the next snapshot from either source. It remains one
	// for the next trace, since the signs in a profile are weaker.
	reconnected, reconnectedSinceTrace bool
}

// observe updates p and returns how many goroutines were created since the previous trace.
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

// restartSigns are the differences between list and trace that indicate a new process.
type restartSigns struct {
	highest uint64 // goroutine ID seen before
	procs   int    // GOMAXPROCS now

	changedEntries int    // known IDs that have another entry
	newest         uint64 // ID of the newest newcomer
	// batches is the least number of ID batches that the newcomers at or below highest can
	// come from, and batchEnd the highest possible end of the last one.
	batches    int
	batchEnd   uint64
	agedStayed int
	agedExited int
}

func (c *restartSigns) addSurvivor(aged, sameEntry bool) {
	if !sameEntry {
		c.changedEntries++
	}
	if aged {
		c.agedStayed++
	}
}

// addNewcomer records a goroutine that is not in the list. IDs must ascend. A batch may start at
// any ID: with cgo the runtime reserves single IDs for C threads in between.
func (c *restartSigns) addNewcomer(id uint64) {
	c.newest = id
	if id <= c.highest && id >= c.batchEnd {
		c.batches++
		c.batchEnd = id + stack.IDBatchSize
	}
}

// minChangedEntries is how many known IDs must have another entry in a new process. Since IDs are
// unique, one should be enough; but then a single misread stack would reset all ages.
const minChangedEntries = 2

// replaced reports whether a trace is of another process than the list. In case of doubt it is
// the same one, which does little harm, since ages come from the list and not from IDs. The
// process was replaced if:
//
//   - known IDs have another entry, since IDs are unique; or
//   - newcomers below the highest ID are from more batches than there are Ps, since each P has
//     one batch at a time; or
//   - after a new connection all newcomers have old IDs, and half of the aged goroutines have
//     exited at once.
func (p *process) replaced(c *restartSigns) bool {
	if !p.traced || p.isOwn {
		return false
	}
	procs := max(c.procs, p.procs)
	switch {
	case c.changedEntries >= minChangedEntries:
		return true
	case procs > 0 && c.batches > procs:
		return true
	}
	aged := c.agedStayed + c.agedExited
	return p.reconnectedSinceTrace && c.newest != 0 && c.newest < p.highest && aged > 0 && 2*c.agedExited >= aged
}

// replacedInProfile reports whether a profile is of another process than the previous snapshot.
// A profile has no IDs. After a new connection, another build or the exit of at least half of
// the residents indicates a new process. Residents are the lowest number of goroutines that an
// entry had for a while, in place of aged ones.
//
// The build alone is not enough: for each profile the runtime reads it from the file that is now
// at the path of the binary. And if traces are recent, the next one decides.
func (p *process) replacedInProfile(build string, residents, gone int, now, agedAfter time.Duration) bool {
	if p.isOwn || !p.reconnected || p.traced && now-p.tracedAt < agedAfter {
		return false
	}
	anotherBuild := build != "" && p.build != "" && build != p.build
	return anotherBuild || residents > 0 && 2*gone >= residents
}

// isRuntimeEntry reports whether an entry is in package runtime. Such a goroutine counts only
// while it calls a finalizer or cleanup of the user, so it may appear long after its creation.
func isRuntimeEntry(entry string) bool {
	return strings.HasPrefix(entry, "runtime.")
}

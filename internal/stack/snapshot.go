package stack

import "time"

// Source is what a snapshot was decoded from.
type Source string

const (
	// SourceTrace is an execution trace, which has every goroutine with its ID.
	SourceTrace Source = "trace"
	// SourceProfile is a goroutine profile, which has counts only.
	SourceProfile Source = "profile"
)

// Group is a signature and the number of goroutines that have it.
type Group struct {
	Signature
	Count int
}

// NoGroup is the group of a goroutine whose stack is unknown.
const NoGroup = -1

// Goroutine is a goroutine of a snapshot decoded from a trace.
type Goroutine struct {
	// ID is the runtime's goroutine ID, which is unique in a process.
	ID uint64
	// Group is the index of its group in Snapshot.Groups, or NoGroup.
	Group int32
}

// Snapshot is the goroutines of one process at one time, except the runtime's own, which
// runtime.NumGoroutine does not count either.
type Snapshot struct {
	// Source determines which of the other fields are set.
	Source Source
	// Groups holds each signature once, in no particular order.
	Groups []Group
	// Goroutines lists every goroutine by ascending ID. Traces only.
	Goroutines []Goroutine
	// Stackless is the number of goroutines without a group: with either source about 1 in
	// 10,000 has no stack.
	Stackless int
	// HighestID is the highest goroutine ID in the trace, including the runtime's own and
	// those that ended during it. Traces only.
	HighestID uint64
	// Procs is the GOMAXPROCS of the process, 0 if unknown. Traces only.
	Procs int
	// At is when the snapshot was taken, zero if unknown. Profiles only.
	At time.Time
	// Build is the build ID of the binary, empty if unknown. Profiles only.
	Build string
}

// IDBatchSize is the number of goroutine IDs that a P reserves at a time (_GoidCacheBatch in
// runtime/proc.go). IDs of a process rise except within the batches of its Ps.
const IDBatchSize = 16

// IDsFell reports whether the highest ID is lower than an earlier snapshot of the same process could
// leave it.
func (s *Snapshot) IDsFell(earlier uint64, procs int) bool {
	return s.HighestID+uint64(IDBatchSize*max(s.Procs, procs)) < earlier
}

// Count returns the number of goroutines in the snapshot.
func (s *Snapshot) Count() int {
	n := s.Stackless
	for _, g := range s.Groups {
		n += g.Count
	}
	return n
}

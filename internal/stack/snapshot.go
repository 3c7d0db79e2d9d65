package stack

// Source tells what a snapshot was read from.
type Source string

const (
	// SourceTrace is an execution trace: every goroutine with its ID.
	SourceTrace Source = "trace"
	// SourceProfile is a goroutine profile: counts only.
	SourceProfile Source = "profile"
)

// Group is a signature and how many goroutines have it.
type Group struct {
	Signature
	Count int
}

// NoGroup is the group of a goroutine that is alive but showed no stack.
const NoGroup = -1

// Goroutine is one goroutine of a snapshot that was read from a trace.
type Goroutine struct {
	// ID is the runtime's goroutine ID, never used twice in a process.
	ID uint64
	// Group is the index of its group in Snapshot.Groups, or NoGroup.
	Group int32
}

// Snapshot is all goroutines of one process at one time, but for the runtime's
// own, which runtime.NumGoroutine leaves out too.
type Snapshot struct {
	// Source tells which of the other fields are filled.
	Source Source
	// Groups holds each signature once, in no particular order.
	Groups []Group
	// Goroutines lists every goroutine, IDs ascending. Only from a trace.
	Goroutines []Goroutine
	// Stackless is the number of goroutines without a group: about 1 in 10,000
	// shows no stack, in either source.
	Stackless int
	// HighestID is the highest ID of any goroutine that the trace mentions,
	// the runtime's own and those that ended during it included.
	HighestID uint64
	// Procs is the GOMAXPROCS of the process. Only from a trace; 0 is unknown.
	Procs int
	// Build is the build ID of the binary. Only from a profile; empty is unknown.
	Build string
}

// Count returns the number of goroutines in the snapshot.
func (s *Snapshot) Count() int {
	n := s.Stackless
	for _, g := range s.Groups {
		n += g.Count
	}
	return n
}

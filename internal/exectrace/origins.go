package exectrace

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Origins is where goroutines come from and what wakes them, according to a trace. Its stacks
// may share memory and must not be modified.
type Origins struct {
	// Traced is the time from the first event to the last.
	Traced time.Duration
	// StandardLibrary is the folder of the standard library's source, with a trailing slash.
	// It is empty if it is unknown or the build has no absolute paths.
	StandardLibrary string
	// Starts are the places where goroutines were started during the trace: those of the
	// requested entries and groups, and those with the same go statement. The place with
	// the most goroutines comes first.
	Starts []Start
	// Groups are the requested groups, in the order of the request.
	Groups []Waiting
}

// Launch is the way in which a goroutine was started.
type Launch uint8

const (
	// ByGo is a go statement, or the start of a coroutine.
	ByGo Launch = iota
	// ByTimer is a timer of time.AfterFunc, not a goroutine.
	ByTimer
	// ByC is a C thread that calls Go.
	ByC
)

// Start is a place where goroutines were started: a go statement, and the calls by which
// it was reached.
type Start struct {
	// Entry is the entry of the goroutines, as in signatures. If the stack of none of them
	// is known, it is the function that was started, which may be a wrapper.
	Entry  string
	Launch Launch
	// Creator is the stack of the goroutine that started them, leaf first: the first frame
	// is the go statement. It is empty unless Launch is ByGo.
	Creator []stack.Frame
	// Ancestors are the stacks of the creator's creator and of its creator, if they were
	// started during the trace.
	Ancestors [][]stack.Frame
	// Born is how many goroutines were started.
	Born int
	// Ended is the lifetimes of those that have ended.
	Ended Lifetimes
	// Alive are those that have not ended, by ID.
	Alive []Alive
}

// Alive is a goroutine that was started during the trace and has not ended.
type Alive struct {
	ID uint64
	// Age is how long ago it was started.
	Age time.Duration
	// Group is the index of its requested group, or -1.
	Group int
}

// Waiting is a requested group.
type Waiting struct {
	// Count is how many goroutines it had at the end, and Stack the stack of one of them.
	Count int
	Stack []stack.Frame
	// Older is how many of them existed before the trace, and Again how often these returned
	// to the group after they had been woken there. Served is how many of them something
	// other than a timer woke where a requested group waits: a goroutine or, in I/O, the network.
	Older, Again, Served int
	// Wakes are the wake-ups of all goroutines that waited there, the most frequent first.
	Wakes []Wake
}

// Wake is a stack that wakes goroutines.
type Wake struct {
	// Waker is the stack of the goroutine that woke them, leaf first. It is empty for
	// timers and the network.
	Waker []stack.Frame
	// Count is the number of wake-ups, and Last how many of the woken goroutines ended
	// without waiting there again.
	Count, Last int
}

package exectrace

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Origins is what a trace says of where goroutines come from and what wakes them. It draws
// no conclusion. Its stacks may share memory, and must not be changed.
type Origins struct {
	// Traced is the time from the first event to the last.
	Traced time.Duration
	// StandardLibrary is the folder of the standard library's source, with a slash at its
	// end; empty is unknown, or that the build has no absolute paths.
	StandardLibrary string
	// Starts are the places where goroutines were started during the trace: those of the
	// entries and groups that were asked for, and those that share their go statement. They
	// are in the order of how many were started, the most first.
	Starts []Start
	// Groups are those that were asked for, in that order.
	Groups []Waiting
}

// Launch is in what way a goroutine was started.
type Launch uint8

const (
	// ByGo is a go statement, or what starts a coroutine.
	ByGo Launch = iota
	// ByTimer is a timer of time.AfterFunc that fired: no goroutine started it.
	ByTimer
	// ByC is a C thread that calls Go.
	ByC
)

// Start is a place where goroutines were started: a go statement, and the calls by which
// it was reached.
type Start struct {
	// Entry is the entry of the goroutines, as signatures have it. While none of them has
	// shown its stack, it is the function that was started, which may be a wrapper.
	Entry  string
	Launch Launch
	// Creator is the stack of the goroutine that started them, leaf first: the first frame
	// is the go statement. It is empty unless Launch is ByGo.
	Creator []stack.Frame
	// Ancestors are the stacks of the creator's creator and of the creator of that one, as
	// far as those were started during the trace.
	Ancestors [][]stack.Frame
	// Born is how many were started.
	Born int
	// Ended is how long those lived that have ended.
	Ended Lifetimes
	// Alive are those that have not ended, by ID.
	Alive []Alive
}

// Alive is a goroutine that was started during the trace, and has not ended.
type Alive struct {
	ID uint64
	// Age is how long ago it was started.
	Age time.Duration
	// Group is the index of its group among those that were asked for; -1 if it is in none.
	Group int
}

// Waiting is what was seen of a group that was asked for.
type Waiting struct {
	// Count is how many goroutines it had at the end, and Stack that of one of them.
	Count int
	Stack []stack.Frame
	// Older is how many of them were there before the trace, and Again how often those came
	// back to the group during it, after they had been woken there.
	Older, Again int
	// Wakes are the wake-ups of all that waited there, the most frequent first.
	Wakes []Wake
}

// Wake is what wakes goroutines.
type Wake struct {
	// Waker is the stack of the goroutine that woke them, leaf first. It is empty for
	// timers and the network.
	Waker []stack.Frame
	// Count is how often it woke one there, and Last how often one that never waited there
	// again, and ended.
	Count, Last int
}

package exectrace

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with the bytes. Every error of Decode wraps one of these;
// its text is one line of at most 200 bytes, and repeats none of the bytes.
var (
	// ErrNotTrace means that the bytes are something else: nothing, a page
	// of HTML, a message, a goroutine profile. The error says which.
	ErrNotTrace = errors.New("not an execution trace")
	// ErrVersion means that the trace is of a version that is not read here;
	// the error names it. Those before Go 1.23 do not show the stacks of the
	// goroutines that wait.
	ErrVersion = errors.New("unsupported version of the execution trace")
	// ErrTooLarge means that the trace holds more than Decode is willing to
	// work through. The error says of what.
	ErrTooLarge = errors.New("execution trace too large")
	// ErrMalformed means that the trace is cut short, damaged or
	// contradicts itself.
	ErrMalformed = errors.New("malformed execution trace")
	// ErrPanic means that golang.org/x/exp/trace panicked at the trace. An
	// error that wraps it wraps ErrMalformed too.
	ErrPanic = errors.New("the trace reader panicked")
)

func malformed(what string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, what)
}

func tooLarge(limit int, of string) error {
	return fmt.Errorf("%w: more than %d %s", ErrTooLarge, limit, of)
}

// refused turns an error of the trace reader into ours. Its texts run to many
// megabytes, as they list every goroutine, and quote the trace. What stands
// before the first colon does neither.
//
//	broken trace: failed to advance: frontier: ...  ->  broken trace
func refused(err error) error {
	text, _, _ := strings.Cut(err.Error(), ":")
	return malformed(text[:min(len(text), maxReason)])
}

// maxReason leaves room for the rest of a text of 200 bytes.
const maxReason = 120

package exectrace

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of this package wrap one of these. Their text is one line of at most 200 bytes
// and quotes nothing of the input.
var (
	// ErrNotTrace means that the input is something else: empty, HTML, text, a goroutine
	// profile. The error says which.
	ErrNotTrace = errors.New("not an execution trace")
	// ErrVersion means that the trace format is not supported; the error names it. Traces
	// before Go 1.23 have no stacks of waiting goroutines.
	ErrVersion = errors.New("unsupported version of the execution trace")
	// ErrTooLarge means that the trace exceeds a limit. The error names it.
	ErrTooLarge = errors.New("execution trace too large")
	// ErrMalformed means that the trace is truncated, damaged or inconsistent.
	ErrMalformed = errors.New("malformed execution trace")
	// ErrPanic means that golang.org/x/exp/trace panicked. An error that wraps it also
	// wraps ErrMalformed.
	ErrPanic = errors.New("the trace reader panicked")
)

func malformed(reason string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, reason)
}

func tooLarge(limit int, unit string) error {
	return fmt.Errorf("%w: more than %d %s", ErrTooLarge, limit, unit)
}

// readerError converts an error of the trace reader. Its texts may have megabytes, since they
// list every goroutine, and quote the trace. The part before the first colon does neither.
//
//	broken trace: failed to advance: frontier: ...  ->  broken trace
func readerError(err error) error {
	text, _, _ := strings.Cut(err.Error(), ":")
	return malformed(text[:min(len(text), maxReason)])
}

// maxReason leaves room for the rest of a text of 200 bytes.
const maxReason = 120

package instrument

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Capture is how snapshots of the goroutines are taken.
type Capture string

const (
	// CaptureAuto takes an execution trace, or a goroutine profile if a trace
	// cannot be taken.
	CaptureAuto Capture = "auto"
	// CaptureTrace takes execution traces only. There is no snapshot while another
	// trace is being taken.
	CaptureTrace Capture = "trace"
	// CaptureProfile takes goroutine profiles only, which give counts without ages.
	CaptureProfile Capture = "profile"
	// CaptureOff takes no snapshots. Only metrics that need none are reported.
	CaptureOff Capture = "off"
)

// capturer takes snapshots of this process. It is not safe for concurrent use.
type capturer struct {
	mode  Capture
	trace func() (*stack.Snapshot, error)
	// traceErr is the error of the latest trace, nil if it could be used.
	traceErr error
	// skippedTraces is the number of samples left to take without a trace.
	skippedTraces int
}

func newCapturer(mode Capture) *capturer { return &capturer{mode: mode, trace: takeTrace} }

// samplesWithoutTrace is the number of samples without a trace after a failed one, which costs as
// much as a successful one.
const samplesWithoutTrace = 10

// capture takes a snapshot. An error returned with a snapshot says why it has no ages.
func (c *capturer) capture() (*stack.Snapshot, error) {
	switch {
	case c.mode == CaptureProfile:
		return takeProfile()
	case c.mode == CaptureTrace:
		return c.trace()
	case c.skippedTraces > 0:
		c.skippedTraces--
		return c.takeProfileInstead()
	}
	s, err := c.trace()
	if err == nil {
		c.traceErr = nil
		return s, nil
	}
	if errors.Is(err, errTracing) || errors.Is(err, errBubble) {
		return takeProfile()
	}
	if c.traceErr == nil {
		c.traceErr = err // later errors may only differ in details
	}
	c.skippedTraces = samplesWithoutTrace
	return c.takeProfileInstead()
}

// takeProfileInstead takes a profile instead of a failed trace.
func (c *capturer) takeProfileInstead() (*stack.Snapshot, error) {
	s, err := takeProfile()
	if err != nil {
		return nil, errors.Join(c.traceErr, err)
	}
	return s, fmt.Errorf("using a goroutine profile, without ages, instead of a trace: %w", c.traceErr)
}

var (
	// errTracing is returned while somebody else takes an execution trace.
	errTracing = errors.New("tracing is already enabled")
	// errBubble is returned in a testing/synctest bubble, where starting a trace is a
	// fatal error of the runtime (Go 1.25 to 1.27).
	errBubble = errors.New("not possible in a testing/synctest bubble")
)

// takeTrace takes an execution trace that is stopped as soon as it has started. Even so it lists
// every goroutine.
func takeTrace() (*stack.Snapshot, error) {
	b := newBody(runtime.NumGoroutine())
	if err := startTrace(b); err != nil {
		return nil, err
	}
	trace.Stop()
	if b.overflowed {
		return nil, fmt.Errorf("execution trace: larger than %d bytes", maxBody)
	}
	s, err := exectrace.Decode(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("execution trace: %w", err)
	}
	return s, nil
}

// startTrace starts an execution trace that is written to w.
func startTrace(w io.Writer) error {
	if inBubble() {
		return fmt.Errorf("execution trace: %w", errBubble)
	}
	if err := trace.Start(w); err != nil {
		// The runtime has no other error.
		return fmt.Errorf("execution trace: %w", errTracing)
	}
	return nil
}

// takeProfile takes a goroutine profile.
func takeProfile() (*stack.Snapshot, error) {
	return takeAny("goroutine", profile.Decode)
}

// errNoProfile is returned if the runtime has no profile of that name.
var errNoProfile = errors.New("not available in this process")

// takeAny takes the runtime's profile of the given name.
func takeAny(name string, decode func([]byte, int) (*stack.Snapshot, error)) (*stack.Snapshot, error) {
	p := pprof.Lookup(name)
	if p == nil {
		return nil, fmt.Errorf("%s profile: %w", name, errNoProfile)
	}
	var b bytes.Buffer
	if err := p.WriteTo(&b, 0); err != nil {
		return nil, fmt.Errorf("%s profile: %w", name, err)
	}
	s, err := decode(b.Bytes(), maxBody)
	if err != nil {
		return nil, fmt.Errorf("%s profile: %w", name, err)
	}
	return s, nil
}

// maxBody is the most bytes of a trace or a decompressed profile: three times the size of a trace
// of a million goroutines.
const maxBody = 64 << 20

// body buffers a trace. Data above maxBody is dropped, since a busy process may write a trace
// faster than it is read.
type body struct {
	bytes.Buffer
	overflowed bool
}

// A trace of an idle process has some 17 bytes for each goroutine, and 5 to 50 KB of
// stacks and strings.
const (
	bodyPerGoroutine = 18
	bodyBase         = 32 << 10
)

// newBody returns a body with capacity for the trace of the given number of goroutines. Growing it
// would take up to three times the memory.
func newBody(goroutines int) *body {
	b := new(body)
	b.Grow(min(bodyBase+bodyPerGoroutine*goroutines, maxBody))
	return b
}

// Write never fails, since runtime/trace ignores errors.
func (b *body) Write(p []byte) (int, error) {
	if b.overflowed || b.Len()+len(p) > maxBody {
		b.overflowed = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

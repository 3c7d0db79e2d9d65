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

// captor takes snapshots of this process. It is not safe for concurrent use.
type captor struct {
	mode   Capture
	traces func() (*stack.Snapshot, error)
	// failed is the error of the latest trace, nil if it could be used.
	failed error
	// resting is the number of samples left to take without a trace.
	resting int
}

func newCaptor(mode Capture) *captor { return &captor{mode: mode, traces: takeTrace} }

// samplesToRest is the number of samples without a trace after one that failed, since it
// costs as much as one that succeeds.
const samplesToRest = 10

// take takes a snapshot. An error returned with a snapshot says why it has no ages.
func (c *captor) take() (*stack.Snapshot, error) {
	switch {
	case c.mode == CaptureProfile:
		return takeProfile()
	case c.mode == CaptureTrace:
		return c.traces()
	case c.resting > 0:
		c.resting--
		return c.takeProfileInstead()
	}
	s, err := c.traces()
	if err == nil {
		c.failed = nil
		return s, nil
	}
	if errors.Is(err, errTracing) || errors.Is(err, errBubble) {
		return takeProfile()
	}
	if c.failed == nil {
		c.failed = err // the next may only differ in where it is broken
	}
	c.resting = samplesToRest
	return c.takeProfileInstead()
}

// takeProfileInstead takes a profile in place of a trace that failed.
func (c *captor) takeProfileInstead() (*stack.Snapshot, error) {
	s, err := takeProfile()
	if err != nil {
		return nil, errors.Join(c.failed, err)
	}
	return s, fmt.Errorf("a goroutine profile takes its place, which tells no ages: %w", c.failed)
}

var (
	// errTracing is returned while somebody else takes an execution trace.
	errTracing = errors.New("tracing is on already")
	// errBubble is returned in a testing/synctest bubble, where starting a trace is a
	// fatal error of the runtime (Go 1.25 to 1.27).
	errBubble = errors.New("none can be taken in a testing/synctest bubble")
)

// takeTrace takes an execution trace that is stopped as soon as it has started. It has
// every goroutine even so.
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
		// The runtime knows no other error.
		return fmt.Errorf("execution trace: %w", errTracing)
	}
	return nil
}

// takeProfile takes a goroutine profile.
func takeProfile() (*stack.Snapshot, error) {
	return takeAny("goroutine", profile.Decode)
}

// errNoProfile is returned if the runtime has no profile of that name.
var errNoProfile = errors.New("this process has none")

// takeAny takes one of the runtime's profiles.
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

// maxBody is the most bytes of a trace or a decompressed profile: three times
// those of a trace of a million goroutines.
const maxBody = 64 << 20

// body buffers a trace. What exceeds maxBody is dropped, since a busy process can write
// traces faster than they are read.
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

// newBody returns a body with room for the trace of so many goroutines. One that grows
// takes up to three times the memory.
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

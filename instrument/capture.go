package instrument

import (
	"bytes"
	"errors"
	"fmt"
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
	// failed is why traces were of no use the last time, nil if they were.
	failed error
	// rest is how many samples to go without a trace.
	rest int
}

func newCaptor(mode Capture) *captor { return &captor{mode: mode, traces: takeTrace} }

// rest is for how many samples no trace is taken after one that was of no use: it
// costs as much as one that is.
const rest = 10

// take takes a snapshot. An error beside one says why it is not what it should be.
func (c *captor) take() (*stack.Snapshot, error) {
	switch {
	case c.mode == CaptureProfile:
		return takeProfile()
	case c.mode == CaptureTrace:
		return c.traces()
	case c.rest > 0:
		c.rest--
		return c.instead()
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
	c.rest = rest
	return c.instead()
}

// instead takes a profile in place of a trace.
func (c *captor) instead() (*stack.Snapshot, error) {
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

// takeTrace takes an execution trace that ends as soon as it has begun: even so it
// has every goroutine in it.
func takeTrace() (*stack.Snapshot, error) {
	if inBubble() {
		return nil, fmt.Errorf("execution trace: %w", errBubble)
	}
	b := newBody(runtime.NumGoroutine())
	if err := trace.Start(b); err != nil {
		// The runtime knows no other error.
		return nil, fmt.Errorf("execution trace: %w", errTracing)
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

// takeProfile takes a goroutine profile.
func takeProfile() (*stack.Snapshot, error) {
	return takeAny("goroutine", profile.Decode)
}

// errNoProfile is that the runtime has no profile of a name.
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

// body takes in a trace. What goes beyond maxBody is dropped, as a busy process can
// write traces faster than they can be read.
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

// newBody returns a body with room for the trace of so many goroutines, so that it
// need not grow, which takes up to three times the memory.
func newBody(goroutines int) *body {
	b := new(body)
	b.Grow(min(bodyBase+bodyPerGoroutine*goroutines, maxBody))
	return b
}

// Write never fails: runtime/trace would not heed it.
func (b *body) Write(p []byte) (int, error) {
	if b.overflowed || b.Len()+len(p) > maxBody {
		b.overflowed = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

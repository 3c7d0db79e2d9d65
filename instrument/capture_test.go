package instrument

import (
	"errors"
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// A trace that is of no use costs as much as one that is. So it is told, and not
// taken again for a while.
func TestAutoRestsFromTracesThatAreOfNoUse(t *testing.T) {
	taken, broken := 0, true
	c := newCapturer(CaptureAuto)
	c.trace = func() (*stack.Snapshot, error) {
		taken++
		if broken {
			return nil, exectrace.ErrTooLarge
		}
		return &stack.Snapshot{Source: stack.SourceTrace}, nil
	}
	for n := range 2 * (1 + samplesWithoutTrace) {
		s, err := c.capture()
		if s == nil || s.Source != stack.SourceProfile || !errors.Is(err, exectrace.ErrTooLarge) || !strings.Contains(err.Error(), "without ages") {
			t.Errorf("sample %d: %v, %v", n, s, err)
		}
	}
	if taken != 2 {
		t.Errorf("%d traces were taken", taken)
	}
	broken = false
	for n := range 3 {
		if s, err := c.capture(); err != nil || s.Source != stack.SourceTrace {
			t.Errorf("sample %d that is of use again: %v, %v", n, s, err)
		}
	}
}

// Others may trace: that is nothing to be told, and soon over.
func TestAutoDoesNotMindOthers(t *testing.T) {
	taken := 0
	c := newCapturer(CaptureAuto)
	c.trace = func() (*stack.Snapshot, error) {
		taken++
		return nil, errTracing
	}
	for n := range 3 {
		if s, err := c.capture(); err != nil || s.Source != stack.SourceProfile {
			t.Errorf("sample %d: %v, %v", n, s, err)
		}
	}
	if taken != 3 {
		t.Errorf("a trace was tried %d times", taken)
	}
}

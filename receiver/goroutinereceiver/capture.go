package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxFallback is the longest time for which a profile takes the place of a trace
// before a trace is asked for again. A target that cannot give one costs a futile
// request an hour; one that is upgraded is noticed within the hour.
const maxFallback = time.Hour

// captor takes the snapshots of one target. It is not safe for concurrent use.
type captor struct {
	fetcher
	wants    *wants
	mode     Capture
	interval time.Duration

	fallback      time.Duration // 0 if the latest trace was had
	fallbackUntil time.Time
}

// captured is what came of one capture.
type captured struct {
	source        stack.Source
	snapshot      *stack.Snapshot // nil if err is not
	newConnection bool
	err           error
	// noTrace is why a profile took the place of a trace, if it did so now.
	noTrace error
}

// capture takes a snapshot. With capture: auto it takes a profile where no trace
// can be had, and goes on to do so for a while: one interval at first, because a
// trace that somebody else takes is soon over, then twice as long each time.
func (c *captor) capture(ctx context.Context) captured {
	switch {
	case c.mode == CaptureProfile, c.mode == CaptureAuto && time.Now().Before(c.fallbackUntil):
		instead := c.profile(ctx)
		if instead.err != nil {
			// It is not the trace alone that cannot be had.
			c.fallback, c.fallbackUntil = 0, time.Time{}
		}
		return instead
	}
	traced := c.trace(ctx)
	if traced.err == nil {
		c.fallback = 0
		return traced
	}
	switch {
	case c.mode == CaptureTrace:
		return traced
	case isTimeout(traced.err):
		// No time is left in this scrape. The next asks for a profile, which
		// is a thousandth of the size.
		c.fallBack()
		return traced
	case !profileMayWork(traced.err):
		return traced
	}
	instead := c.profile(ctx)
	if instead.err == nil {
		c.fallBack()
	}
	instead.noTrace = traced.err
	instead.newConnection = instead.newConnection || traced.newConnection
	return instead
}

// fallBack has profiles take the place of traces for a while.
func (c *captor) fallBack() {
	c.fallback = min(max(2*c.fallback, c.interval), maxFallback)
	// A moment less, so that the scrape due at that time finds it over.
	c.fallbackUntil = time.Now().Add(c.fallback - c.interval/2)
}

// trace takes an execution trace.
func (c *captor) trace(ctx context.Context) captured {
	s, newConnection, err := c.fetch(ctx, &c.wants.trace)
	return captured{source: stack.SourceTrace, snapshot: s, newConnection: newConnection, err: wrap("trace", err)}
}

// profile takes a goroutine profile.
func (c *captor) profile(ctx context.Context) captured {
	s, newConnection, err := c.fetch(ctx, &c.wants.profile)
	return captured{source: stack.SourceProfile, snapshot: s, newConnection: newConnection, err: wrap("goroutine profile", err)}
}

// wantTrace is an execution trace of a millisecond, the shortest that every
// goroutine is in.
func wantTrace() want {
	return want{path: "trace", query: "seconds=0.001", check: exectrace.Check, decode: exectrace.Decode}
}

// wantProfile is a goroutine profile, never with debug=2, which stops the world.
func wantProfile(maxBody int) want {
	return want{
		path: "goroutine", query: "debug=0",
		check:  func(body io.Reader) error { return profile.Check(body, maxBody) },
		decode: func(body []byte) (*stack.Snapshot, error) { return profile.Decode(body, maxBody) },
	}
}

// wantThreads is the smallest profile that has the build ID of the binary.
func wantThreads(maxBody int) want {
	return want{
		path: "threadcreate", query: "debug=0",
		check:  func(body io.Reader) error { return profile.CheckThreads(body, maxBody) },
		decode: func(body []byte) (*stack.Snapshot, error) { return profile.DecodeThreads(body, maxBody) },
	}
}

// wantLeakProfile is a profile of what the runtime has proved to be leaked.
func wantLeakProfile(maxBody int) want {
	return want{
		path: "goroutineleak", query: "debug=0",
		check:  func(body io.Reader) error { return profile.CheckLeaks(body, maxBody) },
		decode: func(body []byte) (*stack.Snapshot, error) { return profile.DecodeLeaks(body, maxBody) },
	}
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// profileMayWork tells whether the failure is one of the trace alone. net/http/pprof
// answers 500 while somebody else traces.
func profileMayWork(err error) bool {
	if status, ok := errors.AsType[*statusError](err); ok {
		switch status.code {
		case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusTooManyRequests:
			return false
		}
		return true
	}
	if body := new(bodyError); errors.As(err, &body) {
		return true
	}
	for _, sentinel := range []error{
		exectrace.ErrNotTrace, exectrace.ErrVersion, exectrace.ErrTooLarge, exectrace.ErrMalformed, errBodyTooLarge,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

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

// maxFallback is the longest time between two attempts to get a trace of a target that returned
// none. An unsupported target costs a futile request an hour; an upgrade is noticed within the
// hour.
const maxFallback = time.Hour

// capturer takes the snapshots of one target. It is not safe for concurrent use.
type capturer struct {
	fetcher
	requests *pprofRequests
	mode     Capture
	interval time.Duration

	fallback      time.Duration // 0 if the latest trace succeeded
	fallbackUntil time.Time
}

// captureResult is the result of a capture.
type captureResult struct {
	source        stack.Source
	snapshot      *stack.Snapshot // nil if err is set
	newConnection bool
	err           error
	// traceErr is why the trace failed, if this capture fell back to a profile.
	traceErr error
}

// capture takes a snapshot. With capture: auto it falls back to profiles if a trace fails: for
// one interval at first, since another client's trace soon ends, then for twice as long each
// time.
func (c *capturer) capture(ctx context.Context) captureResult {
	switch {
	case c.mode == CaptureProfile, c.mode == CaptureAuto && time.Now().Before(c.fallbackUntil):
		instead := c.profile(ctx)
		if instead.err != nil {
			// Not only traces fail.
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
		// This scrape has no time left. The next one requests a profile, which
		// has a thousandth of the size.
		c.fallBack()
		return traced
	case !profileMayWork(traced.err):
		return traced
	}
	instead := c.profile(ctx)
	if instead.err == nil {
		c.fallBack()
	}
	instead.traceErr = traced.err
	instead.newConnection = instead.newConnection || traced.newConnection
	return instead
}

// fallBack selects profiles for the next scrapes.
func (c *capturer) fallBack() {
	c.fallback = min(max(2*c.fallback, c.interval), maxFallback)
	// Half an interval less, so that the scrape due at that time requests a trace.
	c.fallbackUntil = time.Now().Add(c.fallback - c.interval/2)
}

// trace takes an execution trace.
func (c *capturer) trace(ctx context.Context) captureResult {
	s, newConnection, err := c.fetch(ctx, &c.requests.trace)
	return captureResult{source: stack.SourceTrace, snapshot: s, newConnection: newConnection, err: wrap("trace", err)}
}

// profile takes a goroutine profile.
func (c *capturer) profile(ctx context.Context) captureResult {
	s, newConnection, err := c.fetch(ctx, &c.requests.profile)
	return captureResult{source: stack.SourceProfile, snapshot: s, newConnection: newConnection, err: wrap("goroutine profile", err)}
}

// traceRequest requests an execution trace of a millisecond, the shortest that contains every
// goroutine.
func traceRequest() pprofRequest {
	return pprofRequest{path: "trace", query: "seconds=0.001", check: exectrace.Check, decode: exectrace.Decode}
}

// profileRequest requests a goroutine profile, never with debug=2, which stops the world.
func profileRequest(maxBody int) pprofRequest {
	return pprofRequest{
		path: "goroutine", query: "debug=0",
		check:  func(body io.Reader) error { return profile.Check(body, maxBody) },
		decode: func(body []byte) (*stack.Snapshot, error) { return profile.Decode(body, maxBody) },
	}
}

// threadsRequest requests the smallest profile with the build ID of the binary.
func threadsRequest(maxBody int) pprofRequest {
	return pprofRequest{
		path: "threadcreate", query: "debug=0",
		check:  func(body io.Reader) error { return profile.CheckThreads(body, maxBody) },
		decode: func(body []byte) (*stack.Snapshot, error) { return profile.DecodeThreads(body, maxBody) },
	}
}

// leakProfileRequest requests the profile of the goroutines that the runtime has proved leaked.
func leakProfileRequest(maxBody int) pprofRequest {
	return pprofRequest{
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

// profileMayWork reports whether a profile may succeed where the trace failed with err.
// net/http/pprof responds with 500 while another client traces.
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

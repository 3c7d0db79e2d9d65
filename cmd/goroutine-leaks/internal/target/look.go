package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/dump"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Timeout is the timeout of a request.
const Timeout = 15 * time.Second

// Source is the format of the data of a look.
type Source string

// Sources, best first.
const (
	Trace   Source = "trace"   // goroutines with IDs, thus ages and exits
	Profile Source = "profile" // counts by state and line
	Text    Source = "text"    // counts; with debug=1 without states
)

// Target is one process. It is not safe for concurrent use.
type Target struct {
	Name      string
	requester requester
	// traceErr is why no traces are requested, nil if they are.
	traceErr error
	// traced reports whether a trace has succeeded, and failedTraces is the number of failures
	// since.
	traced       bool
	failedTraces int
}

// maxFailedTraces is the number of consecutive failures after which no more traces are requested,
// if one has succeeded before. A single trace may be damaged, and ages require traces.
const maxFailedTraces = 3

// New returns the target at an address.
func New(argument string, access Access) (*Target, error) {
	address, err := ParseAddress(argument)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", withoutPassword(argument), err)
	}
	client, headers, err := access.Client()
	if err != nil {
		return nil, err
	}
	return &Target{Name: Name(address), requester: requester{client, address, headers}}, nil
}

// Close closes the connections of the target.
func (t *Target) Close() { t.requester.client.CloseIdleConnections() }

// Look is a snapshot of a process and its source.
type Look struct {
	*stack.Snapshot
	From Source
	// Lacks describes information that the source does not have, and why; empty if none.
	Lacks         string
	NewConnection bool
	// Busy means that there is no trace since another client traces the process.
	Busy bool
}

// Look takes a snapshot from an execution trace of a millisecond, or from a goroutine profile if
// there are no traces. It never requests debug=2, which stops the process.
func (t *Target) Look(ctx context.Context) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if t.traceErr == nil {
		look, err := t.trace(ctx)
		if err == nil {
			t.traced, t.failedTraces = true, 0
			return look, nil
		}
		if !isTraceError(err) {
			return look, err
		}
		if t.failedTraces++; !IsBusy(err) && (!t.traced || t.failedTraces >= maxFailedTraces) {
			t.traceErr = err
		}
		return t.profile(ctx, err)
	}
	return t.profile(ctx, t.traceErr)
}

func (t *Target) trace(ctx context.Context) (Look, error) {
	found, err := t.requester.get(ctx, "trace", "seconds=0.001")
	if err != nil {
		return Look{}, err
	}
	body, err := found.read()
	if err != nil {
		return Look{}, err
	}
	s, err := exectrace.Decode(body)
	if err != nil {
		return Look{}, err
	}
	return Look{Snapshot: s, From: Trace, NewConnection: found.newConnection}, nil
}

// profile takes a snapshot from a profile, since traces fail with traceErr.
func (t *Target) profile(ctx context.Context, traceErr error) (Look, error) {
	found, err := t.requester.get(ctx, "goroutine", "debug=0")
	if err != nil {
		return Look{}, err
	}
	body, err := found.read()
	if err != nil {
		return Look{}, err
	}
	look, err := Read(body)
	if err != nil {
		return Look{}, err
	}
	look.NewConnection = found.newConnection
	look.Busy = IsBusy(traceErr)
	switch {
	case look.Busy:
		look.Lacks = fmt.Sprintf("another client seems to trace the process (%v); as long as it does, ages are unknown and leaks are suspected at most", traceErr)
	case look.From == Profile:
		look.Lacks = fmt.Sprintf("no execution trace (%v), so ages are unknown and leaks are suspected at most", traceErr)
	}
	return look, nil
}

// Build returns the build ID of the binary from the smallest profile that has it, empty if unknown.
func (t *Target) Build(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	found, err := t.requester.get(ctx, "threadcreate", "debug=0")
	if err != nil {
		return ""
	}
	body, err := found.read()
	if err != nil {
		return ""
	}
	s, err := profile.DecodeThreads(body, MaxBody)
	if err != nil {
		return ""
	}
	return s.Build
}

// isTraceError reports whether the error is about the trace, so that a profile may succeed.
func isTraceError(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Code == http.StatusNotFound || status.Code == http.StatusForbidden || status.Code >= 500
	}
	for _, sentinel := range []error{
		exectrace.ErrNotTrace, exectrace.ErrVersion, exectrace.ErrTooLarge, exectrace.ErrMalformed, ErrTooLarge,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// IsBusy reports whether another client traces the process, which is temporary. net/http/pprof
// responds with status 500.
func IsBusy(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusInternalServerError
}

// Read decodes a trace, a profile or a dump.
func Read(body []byte) (Look, error) {
	if isHTML(body) {
		return Look{}, ErrHTML
	}
	if dump.IsDump(body) {
		d, err := dump.Parse(body)
		if err != nil {
			return Look{}, err
		}
		return Look{Snapshot: d.Snapshot, From: Text, Lacks: d.Lacks()}, nil
	}
	s, traceErr := exectrace.Decode(body)
	if traceErr == nil {
		return Look{Snapshot: s, From: Trace}, nil
	}
	if !errors.Is(traceErr, exectrace.ErrNotTrace) {
		return Look{}, traceErr
	}
	s, err := profile.Decode(body, MaxBody)
	if err != nil {
		return Look{}, err
	}
	return Look{Snapshot: s, From: Profile}, nil
}

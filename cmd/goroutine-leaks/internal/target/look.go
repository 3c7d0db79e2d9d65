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

// Timeout is how long a target may take to answer.
const Timeout = 15 * time.Second

// Source is what a look was read from.
type Source string

// The sources, the one that tells most first.
const (
	Trace   Source = "trace"   // every goroutine with its ID, so ages and exits
	Profile Source = "profile" // counts by state and line
	Text    Source = "text"    // counts, with debug=1 without states
)

// Target is one process. It is not safe for concurrent use.
type Target struct {
	Name  string
	asker asker
	// noTrace is why this target gives no trace.
	noTrace error
	// traced tells whether it has given one, and failed how many failed since the last that did not.
	traced bool
	failed int
}

// maxFailed is how many traces fail, one after the other, until a target that gave some is taken to
// give none. One may be cut or damaged by chance, and ages cannot be had without.
const maxFailed = 3

// New returns the target at an address.
func New(argument string, access Access) (*Target, error) {
	address, err := ParseAddress(argument)
	if err != nil {
		return nil, err
	}
	client, headers, err := access.Client()
	if err != nil {
		return nil, err
	}
	return &Target{Name: Name(address), asker: asker{client, address, headers}}, nil
}

// Close closes its connections.
func (t *Target) Close() { t.asker.client.CloseIdleConnections() }

// Look is all goroutines of a process at one time.
type Look struct {
	*stack.Snapshot
	From Source
	// Lacks is what cannot be told from it, and why; empty if nothing.
	Lacks         string
	NewConnection bool
}

// Look takes a snapshot: of an execution trace of a millisecond, or where none can be had of
// a goroutine profile. It never asks for debug=2, which stops the process.
func (t *Target) Look(ctx context.Context) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if t.noTrace == nil {
		look, err := t.trace(ctx)
		if err == nil {
			t.traced, t.failed = true, 0
			return look, nil
		}
		if !profileMayWork(err) {
			return look, err
		}
		if t.failed++; !isBusy(err) && (!t.traced || t.failed >= maxFailed) {
			t.noTrace = err
		}
		return t.profile(ctx, err)
	}
	return t.profile(ctx, t.noTrace)
}

func (t *Target) trace(ctx context.Context) (Look, error) {
	found, err := t.asker.ask(ctx, "trace", "seconds=0.001")
	if err != nil {
		return Look{}, err
	}
	body, err := readAll(found)
	if err != nil {
		return Look{}, err
	}
	s, err := exectrace.Decode(body)
	if err != nil {
		return Look{}, err
	}
	return Look{Snapshot: s, From: Trace, NewConnection: found.newConnection}, nil
}

func (t *Target) profile(ctx context.Context, noTrace error) (Look, error) {
	found, err := t.asker.ask(ctx, "goroutine", "debug=0")
	if err != nil {
		return Look{}, err
	}
	body, err := readAll(found)
	if err != nil {
		return Look{}, err
	}
	look, err := Read(body)
	if err != nil {
		return Look{}, err
	}
	look.NewConnection = found.newConnection
	if look.From == Profile {
		look.Lacks = fmt.Sprintf("there is no execution trace (%v), so ages are unknown: growth can be suspected at most", noTrace)
	}
	return look, nil
}

// Build returns the build ID of the binary, off the smallest profile that has it; empty if it
// cannot be had.
func (t *Target) Build(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	found, err := t.asker.ask(ctx, "threadcreate", "debug=0")
	if err != nil {
		return ""
	}
	body, err := readAll(found)
	if err != nil {
		return ""
	}
	s, err := profile.DecodeThreads(body, MaxBody)
	if err != nil {
		return ""
	}
	return s.Build
}

// profileMayWork tells whether the failure is one of the trace alone.
func profileMayWork(err error) bool {
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

// isBusy tells whether somebody else traces the process, which is soon over. net/http/pprof
// answers 500 then.
func isBusy(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusInternalServerError
}

// Read reads a trace, a profile or a dump, whichever it is.
func Read(body []byte) (Look, error) {
	if isPage(body) {
		return Look{}, ErrNotPprof
	}
	if dump.Is(body) {
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

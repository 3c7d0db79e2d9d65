package watch

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func signature(id stack.ID, function string) stack.Signature {
	return stack.Signature{
		ID: id, State: stack.StateSelect, Blamed: stack.Frame{Function: function, File: "/src/main.go", Line: int(id)}, Entry: function,
	}
}

// fakeSource is a process with a pool of four goroutines that leaks one goroutine a second.
type fakeSource struct {
	began    time.Time
	duration time.Duration // of a look
	// down reports whether looks fail at a time since the first one.
	down   func(time.Duration) bool
	from   target.Source
	traced []origin.Subjects
	// healthy means that nothing leaks.
	healthy bool
	// restartAt is when the process is replaced, 0 if never.
	restartAt time.Duration
	// alike means that the new process has the same goroutines.
	alike bool
	// busyAt is when twenty idle workers begin to work; 0 if there are no workers.
	busyAt time.Duration
	// reconnects means that each look has a new connection, with IDs from the batch of another P.
	reconnects bool
	// tracing reports whether another client traces the process at a time since the first look.
	tracing func(time.Duration) bool
}

var errTracing = &target.StatusError{Code: http.StatusInternalServerError}

var errDown = errors.New("connection refused")

func (f *fakeSource) Look(ctx context.Context) (target.Look, error) {
	if f.began.IsZero() {
		f.began = time.Now()
	}
	at := time.Since(f.began)
	select {
	case <-ctx.Done():
		return target.Look{}, ctx.Err()
	case <-time.After(f.duration):
	}
	if f.down != nil && f.down(at) {
		return target.Look{}, errDown
	}
	look := target.Look{Snapshot: &stack.Snapshot{Source: stack.SourceTrace, Procs: 2}, From: target.Trace}
	first, leaked := uint64(100), int(at.Seconds())
	worker := signature(7, "main.work")
	if f.restartAt > 0 && at >= f.restartAt {
		leaked, look.NewConnection = int((at - f.restartAt).Seconds()), true
		if !f.alike { // known IDs have different entries
			worker = signature(8, "main.other")
		}
	}
	look.HighestID = first + uint64(leaked)
	if f.reconnects {
		look.NewConnection = true
		look.HighestID -= uint64(leaked % 2 * stack.IDBatchSize)
	}
	if f.healthy {
		leaked = 0
	}
	add := func(s stack.Signature, first uint64, n int) {
		if n == 0 {
			return
		}
		look.Groups = append(look.Groups, stack.Group{Signature: s, Count: n})
		for i := range n {
			look.Goroutines = append(look.Goroutines, stack.Goroutine{ID: first + uint64(i), Group: int32(len(look.Groups) - 1)})
		}
	}
	add(worker, 10, 4)
	add(signature(5, "main.leak"), first, leaked)
	if f.busyAt > 0 {
		line := signature(9, "main.idle")
		if at >= f.busyAt {
			line = signature(11, "main.busy")
		}
		line.Entry = "main.serve"
		add(line, 50, 20)
	}
	look.Busy = f.tracing != nil && f.tracing(at)
	if f.from == target.Profile || look.Busy {
		look.From, look.Source, look.Goroutines, look.HighestID, look.Lacks = target.Profile, stack.SourceProfile, nil, 0, "no trace"
	}
	return look, nil
}

// Build returns a different build after the restart.
func (f *fakeSource) Build(context.Context) string {
	if f.restartAt > 0 && time.Since(f.began) > f.restartAt {
		return "b2b2b2b2"
	}
	return "b1b1b1b1"
}

func (f *fakeSource) Origins(_ context.Context, d time.Duration, subjects origin.Subjects) ([]origin.Origin, error) {
	if f.tracing != nil && f.tracing(time.Since(f.began)) {
		return nil, errTracing
	}
	f.traced = append(f.traced, subjects)
	time.Sleep(d)
	var all []origin.Origin
	for _, s := range subjects.Groups {
		all = append(all, origin.Origin{
			Signature: s.Signature, Caught: origin.LeakedBirth,
			Creators: []origin.Creator{{Own: stack.Frame{Function: "main.start", File: "/src/main.go", Line: 9}, Count: 1, Share: 1}},
		})
	}
	return all, nil
}

package watch

import (
	"context"
	"errors"
	"time"
)

// reachTimeout is how long Run tries to reach a target. A port that is being forwarded takes some
// seconds.
const reachTimeout = 5 * time.Second

// retryInterval is the time between looks until a target is reached.
const retryInterval = time.Second

// ErrUnreachable means that no target was reached.
var ErrUnreachable = errors.New("no target could be reached")

// Run looks repeatedly for Options.For, or until ctx is done. It calls onLook with the state after
// each look, from the first one on in which a target was reached. It continues if targets become
// unreachable. Run returns the last state. It returns ErrUnreachable if no look at any target has
// succeeded.
func (w *Watcher) Run(ctx context.Context, onLook func(State)) (State, error) {
	began := time.Now()
	for {
		s := w.Look(ctx)
		interrupted := ctx.Err() != nil
		if s.reached() && (!interrupted || w.looks == 1) {
			onLook(s)
		}
		over := time.Since(began) >= w.options.For
		switch {
		case !s.reached() && (over || interrupted || time.Since(began) >= reachTimeout):
			return s, ErrUnreachable
		case over, interrupted:
			return s, nil
		}
		next := w.Next()
		if !s.reached() {
			next = min(next, retryInterval)
		}
		if !sleep(ctx, min(next, w.options.For-time.Since(began))) {
			return s, nil
		}
	}
}

// RunUntilDone looks repeatedly until ctx is done, even if no target is reached.
func (w *Watcher) RunUntilDone(ctx context.Context, onLook func(State)) {
	for {
		onLook(w.Look(ctx))
		if !sleep(ctx, w.Next()) {
			return
		}
	}
}

// sleep waits for d. It returns false if ctx is done first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// reached reports whether a look at any target has succeeded.
func (s *State) reached() bool {
	for _, t := range s.Targets {
		if t.Reached {
			return true
		}
	}
	return false
}

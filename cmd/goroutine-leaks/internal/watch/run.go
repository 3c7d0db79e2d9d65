package watch

import (
	"context"
	"errors"
	"time"
)

// Patience is how long it is tried to reach a target before the watch is given up. A port
// that is about to be forwarded takes some seconds.
const Patience = 5 * time.Second

// again is after how long a target is asked again that has not answered yet.
const again = time.Second

// ErrUnreachable means that no target answered.
var ErrUnreachable = errors.New("no target could be looked at")

// Run looks again and again for as long as Options.For says, or until ctx ends, and calls each
// with what is known after every look. A target that is lost is asked on. Run returns what is
// known in the end; the error tells that nothing is.
func (w *Watch) Run(ctx context.Context, each func(State)) (State, error) {
	began := time.Now()
	for {
		s := w.Look(ctx)
		interrupted := ctx.Err() != nil
		if !interrupted || w.looks == 1 {
			each(s)
		}
		over := time.Since(began) >= w.options.For
		switch {
		case !s.reached() && (over || interrupted || time.Since(began) >= Patience):
			return s, ErrUnreachable
		case over, interrupted:
			return s, nil
		}
		next := w.Next()
		if !s.reached() {
			next = min(next, again)
		}
		if !pause(ctx, min(next, w.options.For-time.Since(began))) {
			return s, nil
		}
	}
}

// RunOn looks again and again until ctx ends, whether anything answers or not.
func (w *Watch) RunOn(ctx context.Context, each func(State)) {
	for {
		each(w.Look(ctx))
		if !pause(ctx, w.Next()) {
			return
		}
	}
}

// pause waits, and tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wait.C:
		return true
	}
}

// reached tells whether any target has answered.
func (s *State) reached() bool {
	for _, t := range s.Targets {
		if t.Reached {
			return true
		}
	}
	return false
}

package main

import (
	"context"
	"slices"
)

// pattern is a mistake, and the same job without it. Results and errors are ignored, since
// most patterns leak when a call fails.
type pattern struct {
	// leaky makes a call. Its ctx is that of the service.
	leaky func(ctx context.Context)
	// repaired makes a call. Its ctx is that of a request, with a deadline.
	repaired func(ctx context.Context)
}

// patterns returns all mistakes.
func patterns(e *environment) []pattern {
	return slices.Concat(channelPatterns(), lifetimePatterns(), lockPatterns(), networkPatterns(e), filePatterns(e))
}

func ignore[T any](T) {}

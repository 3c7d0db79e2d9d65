package main

import (
	"context"
	"slices"
)

// pattern is one mistake, and the same job without it. Results and errors are
// ignored, since a failing call is what leaks.
type pattern struct {
	// leaky makes one call. Its ctx is that of the service.
	leaky func(ctx context.Context)
	// repaired makes one call. Its ctx is that of a request, and has a deadline.
	repaired func(ctx context.Context)
}

// patterns returns every mistake, each called as it leaks.
func patterns(s *surroundings) []pattern {
	return slices.Concat(channels(), endings(), locks(), network(s), heldFiles(s))
}

func ignore[T any](T) {}

package main

import (
	"context"
	"runtime"
	"time"
)

// callAll calls all functions again and again until ctx ends.
func callAll(ctx context.Context, all []pattern, o options) {
	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if runtime.NumGoroutine() >= o.maxGoroutines {
			continue
		}
		for _, p := range all {
			go callLeaky(ctx, p)
			go callRepaired(ctx, p)
		}
	}
}

// callLeaky makes one call, as a request would. Some never return from it.
func callLeaky(ctx context.Context, p pattern) { p.leaky(ctx) }

// patience is the deadline of a request.
const patience = 300 * time.Millisecond

// callRepaired makes one call, which has a deadline.
func callRepaired(ctx context.Context, p pattern) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.repaired(ctx)
}

package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// callAll calls all functions again and again until ctx is done, each at its own times.
func callAll(ctx context.Context, all []pattern, o options) {
	var callers sync.WaitGroup
	for _, p := range all {
		callers.Go(func() { callAgain(ctx, p, o) })
	}
	callers.Wait()
}

// callAgain calls a function and its repair at random times, as independent requests come:
// the time to the next is exponential.
func callAgain(ctx context.Context, p pattern, o options) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if runtime.NumGoroutine() < o.maxGoroutines {
			go callLeaky(ctx, p)
			go callRepaired(ctx, p)
		}
		timer.Reset(time.Duration(rand.ExpFloat64() * float64(o.every)))
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

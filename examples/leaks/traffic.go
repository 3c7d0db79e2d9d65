package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// callAll repeatedly calls all patterns until ctx is done.
func callAll(ctx context.Context, all []pattern, o options) {
	var callers sync.WaitGroup
	for _, p := range all {
		callers.Go(func() { callRepeatedly(ctx, p, o) })
	}
	callers.Wait()
}

// callRepeatedly calls a function and its repair at random times, with exponential intervals as
// between independent requests.
func callRepeatedly(ctx context.Context, p pattern, o options) {
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

// callLeaky makes a call, like a request. Some calls never return.
func callLeaky(ctx context.Context, p pattern) { p.leaky(ctx) }

// patience is the deadline of a request.
const patience = 300 * time.Millisecond

// callRepaired makes a call with a deadline.
func callRepaired(ctx context.Context, p pattern) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.repaired(ctx)
}

package main

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/condneversignalled"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/mutexneverunlocked"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/rwmutexupgrade"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/waitgroupmiscounted"
)

// lockPatterns returns the mistakes with package sync.
func lockPatterns() []pattern {
	encoder, repairedEncoder := new(mutexneverunlocked.EncoderLeaky), new(mutexneverunlocked.EncoderRepaired)
	_, _ = encoder.Encode(math.NaN())
	cache, repairedCache := rwmutexupgrade.NewCacheLeaky(strings.ToUpper), rwmutexupgrade.NewCacheRepaired(strings.ToUpper)
	hosts := []string{"a.example.com", "b.example.org"}
	return []pattern{
		{
			func(context.Context) { _, _ = encoder.Encode(42) },
			func(context.Context) {
				_, _ = repairedEncoder.Encode(math.NaN())
				_, _ = repairedEncoder.Encode(42)
			},
		},
		{
			// The first call waits to write, all later ones to read.
			func(context.Context) { cache.Get("a") },
			func(context.Context) { repairedCache.Get("a") },
		},
		{
			func(context.Context) { rwmutexupgrade.NewCacheLeaky(strings.ToUpper).Get("a") },
			func(context.Context) { rwmutexupgrade.NewCacheRepaired(strings.ToUpper).Get("a") },
		},
		{
			func(context.Context) { waitgroupmiscounted.HealthyLeaky(hosts, check) },
			func(context.Context) { waitgroupmiscounted.HealthyRepaired(hosts, check) },
		},
		{
			func(context.Context) { condneversignalled.DeliverLeaky(fetchNothing, ignore[string]) },
			func(context.Context) { condneversignalled.DeliverRepaired(fetchNothing, ignore[string]) },
		},
	}
}

// check fails for hosts outside .com.
func check(host string) error {
	if !strings.HasSuffix(host, ".com") {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// fetchNothing takes some time, and returns no letters.
func fetchNothing() []string {
	time.Sleep(patience / 6)
	return nil
}

package main

import (
	"context"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/forgottencancel"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/loopwithoutexit"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/pullnotstopped"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/selectnocases"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/selectwithoutdone"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/tickernotstopped"
)

// lifetimePatterns returns the mistakes in which a goroutine outlives its purpose, which lasts as
// long as a request.
func lifetimePatterns() []pattern {
	topic, feed := selectwithoutdone.NewTopic(), selectnocases.NewFeed()
	price := func() int { return 42 }
	return []pattern{
		{
			func(context.Context) { loopwithoutexit.WatchLeaky(price, ignore[int]) },
			func(ctx context.Context) {
				loopwithoutexit.WatchRepaired(ctx, price, ignore[int])
				<-ctx.Done()
			},
		},
		{
			func(ctx context.Context) {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				selectwithoutdone.FollowLeaky(ctx, topic, ignore[string])
				<-ctx.Done()
			},
			func(ctx context.Context) {
				selectwithoutdone.FollowRepaired(ctx, topic, ignore[string])
				<-ctx.Done()
			},
		},
		{
			func(context.Context) { selectnocases.FollowLeaky(feed, ignore[string]) },
			func(ctx context.Context) {
				selectnocases.FollowRepaired(ctx, feed, ignore[string])
				<-ctx.Done()
			},
		},
		{
			func(ctx context.Context) { forgottencancel.ArrivedLeaky(ctx, 3) },
			func(ctx context.Context) { forgottencancel.ArrivedRepaired(ctx, 3) },
		},
		{
			func(context.Context) { pullnotstopped.SameLeaky("one two", "one three") },
			func(context.Context) { pullnotstopped.SameRepaired("one two", "one three") },
		},
		{
			func(context.Context) { tickernotstopped.KeepAliveLeaky(func() {}) },
			func(ctx context.Context) {
				tickernotstopped.KeepAliveRepaired(ctx, func() {})
				<-ctx.Done()
			},
		},
	}
}

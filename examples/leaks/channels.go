package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/nilchannel"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/rangeneverclosed"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/receivewithoutsender"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/sendwithoutreceiver"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/timeoutleavesworker"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/workerpoolnotstopped"
)

// channelPatterns returns the mistakes with channels.
func channelPatterns() []pattern {
	replicas := []sendwithoutreceiver.Replica{strings.ToUpper, strings.ToUpper}
	const table = "1\n2\nthree\n"
	pictures := []string{"a.png", "b.txt", "c.png"}
	return []pattern{
		{
			func(context.Context) { sendwithoutreceiver.FirstLeaky(replicas, "a") },
			func(context.Context) { sendwithoutreceiver.FirstRepaired(replicas, "a") },
		},
		{
			func(context.Context) { receivewithoutsender.AskLeaky("it does not work") },
			func(ctx context.Context) { _, _ = receivewithoutsender.AskRepaired(ctx, "it does not work") },
		},
		{
			func(context.Context) { _ = rangeneverclosed.ImportLeaky(strings.NewReader(table), ignore[int]) },
			func(context.Context) { _ = rangeneverclosed.ImportRepaired(strings.NewReader(table), ignore[int]) },
		},
		{
			func(context.Context) { _, _ = timeoutleavesworker.QuoteLeaky(slowPrice, patience) },
			func(ctx context.Context) { _, _ = timeoutleavesworker.QuoteRepaired(ctx, slowPriceUntil, patience) },
		},
		{
			func(context.Context) { _ = workerpoolnotstopped.ScaleLeaky(pictures, scale) },
			func(context.Context) { _ = workerpoolnotstopped.ScaleRepaired(pictures, scale) },
		},
		{
			func(context.Context) { nilchannel.NewServerLeaky(false, ignore[string]).Close() },
			func(context.Context) { nilchannel.NewServerRepaired(false, ignore[string]).Close() },
		},
	}
}

// slowPrice requests a price from a backend that takes longer than patience.
func slowPrice() int {
	time.Sleep(2 * patience)
	return 42
}

// slowPriceUntil requests a price from the same backend. It returns when ctx is done.
func slowPriceUntil(ctx context.Context) int {
	<-ctx.Done()
	return 0
}

// scale fails for files other than pictures.
func scale(picture string) error {
	if !strings.HasSuffix(picture, ".png") {
		return io.ErrUnexpectedEOF
	}
	return nil
}

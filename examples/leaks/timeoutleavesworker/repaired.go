package timeoutleavesworker

import (
	"context"
	"time"
)

// QuoteRepaired is QuoteLeaky without the leak.
//
// Fix: the channel has room for the one answer that comes, so the worker
// can always deliver it and end. The backend is told of the deadline by a context,
// so that it stops to work on what nobody wants any more.
func QuoteRepaired(ctx context.Context, price func(context.Context) int, patience time.Duration) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrTimeout)
	defer cancel()
	answer := make(chan int, 1)
	go quoteRepaired(ctx, price, answer)
	select {
	case p := <-answer:
		return p, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

func quoteRepaired(ctx context.Context, price func(context.Context) int, answer chan<- int) {
	p := price(ctx)
	answer <- p
}

package timeoutleavesworker

import (
	"context"
	"time"
)

// QuoteRepaired is QuoteLeaky without the leak.
//
// Fix: a channel with a buffer for the answer, so that the worker can always send it and
// return. The context passes the deadline to the backend, so that it does not work in vain.
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

// Package timeoutleavesworker shows a timeout that leaves the worker behind.
package timeoutleavesworker

import (
	"errors"
	"time"
)

// ErrTimeout is returned when a backend takes too long.
var ErrTimeout = errors.New("the backend takes too long")

// QuoteLeaky asks a backend for a price. It gives up after patience.
//
// Mistake: after the timeout, the unbuffered channel has no receiver. When the worker has
// the price, it blocks forever in its send.
func QuoteLeaky(price func() int, patience time.Duration) (int, error) {
	answer := make(chan int)
	go quoteLeaky(price, answer)
	select {
	case p := <-answer:
		return p, nil
	case <-time.After(patience):
		return 0, ErrTimeout
	}
}

func quoteLeaky(price func() int, answer chan<- int) {
	p := price()
	answer <- p // leaks here
}

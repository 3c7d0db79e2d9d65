// Package timeoutleavesworker shows a timeout that forgets who is still at work.
package timeoutleavesworker

import (
	"errors"
	"time"
)

// ErrTimeout is returned when a backend takes too long.
var ErrTimeout = errors.New("the backend takes too long")

// QuoteLeaky asks a backend for a price, for no longer than patience.
//
// Mistake: after the timeout nobody receives from the channel, which has
// no buffer. The worker gets its price at last and waits forever to tell it.
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

package main

import (
	"context"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// The test reads the marks at the ends of lines: own is the line that starts the goroutines of a leak, waits
// the line at which they wait, and waker the line that wakes those that exit.

// checkOut leaks a goroutine that sends an answer without a receiver.
func checkOut(leaks bool) {
	answers := make(chan int, room)
	go price(answers) // own: answer
	time.Sleep(work)
	if !leaks {
		takePrice(answers)
	}
}

func price(answers chan<- int) {
	answers <- 42 // waits: answer
}

func takePrice(answers <-chan int) { <-answers } // waker: answer

// askBackend leaks a goroutine that waits for a reply that never comes.
func askBackend(leaks bool) {
	replies := make(chan int)
	go awaitReply(replies) // own: reply
	time.Sleep(work)
	if !leaks {
		sendReply(replies)
	}
}

func awaitReply(replies <-chan int) { <-replies } // waits: reply

func sendReply(replies chan<- int) { replies <- 42 } // waker: reply

// session has a context that must be canceled.
type session struct{ cancel context.CancelFunc }

// openSession leaks a goroutine by forgetting to call cancel.
func openSession(leaks bool) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{cancel: cancel}
	go keepAlive(ctx) // own: cancel
	time.Sleep(work)
	if !leaks {
		s.close()
	}
}

func keepAlive(ctx context.Context) {
	select { // waits: cancel
	case <-ctx.Done():
	case <-time.After(time.Hour):
	}
}

func (s *session) close() { s.cancel() } // waker: cancel

// forwardChunk leaks a goroutine that sends in a dependency. The standard library starts it.
func forwardChunk(leaks bool) {
	chunks := make(chan *stream.StreamChunk)
	writer := stream.NewChanWriter(chunks)
	var sends sync.WaitGroup
	sends.Go(func() { _, _ = writer.Write([]byte("chunk")) }) // own: dependency
	time.Sleep(work)
	if !leaks {
		takeChunk(chunks)
	}
}

func takeChunk(chunks <-chan *stream.StreamChunk) { <-chunks } // waker: dependency

// remindLater leaks a goroutine that a timer starts.
func remindLater(leaks bool) {
	reminded := make(chan struct{})
	time.AfterFunc(work, func() { remind(reminded) })
	time.Sleep(2 * work)
	if !leaks {
		acknowledge(reminded)
	}
}

func remind(reminded <-chan struct{}) { <-reminded } // waits: timer

func acknowledge(reminded chan<- struct{}) { reminded <- struct{}{} } // waker: timer

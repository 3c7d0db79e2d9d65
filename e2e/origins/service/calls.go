package main

import (
	"context"
	"sync"
	"time"
)

// The test reads the marks at the ends of lines: creator is the line that starts goroutines, waits the line at
// which they wait, and waker the line that wakes those that exit.

func checkOut(leaks bool) {
	answers := make(chan int)
	go price(answers) // creator: price
	time.Sleep(work)
	if !leaks {
		takePrice(answers)
	}
}

func price(answers chan<- int) { answers <- 42 } // waits: price

func takePrice(answers <-chan int) { <-answers } // waker: price

func askBackend(leaks bool) {
	replies := make(chan int)
	go awaitReply(replies) // creator: awaitReply
	time.Sleep(work)
	if !leaks {
		sendReply(replies)
	}
}

func awaitReply(replies <-chan int) { <-replies } // waits: awaitReply

func sendReply(replies chan<- int) { replies <- 42 } // waker: awaitReply

type watch struct{ prices, done chan struct{} }

func watchPrices(leaks bool) {
	w := &watch{prices: make(chan struct{}), done: make(chan struct{})}
	go w.follow() // creator: (*watch).follow
	time.Sleep(work)
	w.prices <- struct{}{}
	time.Sleep(work)
	if !leaks {
		w.unwatch()
	}
}

func (w *watch) follow() {
	for {
		select { // waits: (*watch).follow
		case <-w.prices:
		case <-w.done:
			return
		}
	}
}

func (w *watch) unwatch() { close(w.done) } // waker: (*watch).follow

type session struct{ cancel context.CancelFunc }

func openSession(leaks bool) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{cancel: cancel}
	go keepAlive(ctx) // creator: keepAlive
	time.Sleep(work)
	if !leaks {
		s.close()
	}
}

func keepAlive(ctx context.Context) {
	select { // waits: keepAlive
	case <-ctx.Done():
	case <-time.After(time.Hour):
	}
}

func (s *session) close() { s.cancel() } // waker: keepAlive

func countVotes(leaks bool) {
	votes := new(sync.WaitGroup)
	votes.Add(1)
	go publish(votes) // creator: publish
	time.Sleep(work)
	if !leaks {
		castVote(votes)
	}
}

func publish(votes *sync.WaitGroup) { votes.Wait() } // waits: publish

func castVote(votes *sync.WaitGroup) { votes.Done() } // waker: publish

type stock struct {
	sync.Mutex
	left int
}

func updateStock(leaks bool) {
	var apples stock
	apples.Lock()
	go apples.take() // creator: (*stock).take
	time.Sleep(work)
	if !leaks {
		apples.release()
	}
}

func (s *stock) take() {
	s.Lock() // waits: (*stock).take
	s.left--
	s.Unlock()
}

func (s *stock) release() { s.Unlock() } // waker: (*stock).take

type mailbox struct {
	sync.Cond
	letters int
}

func readMail(leaks bool) {
	m := &mailbox{Cond: sync.Cond{L: new(sync.Mutex)}}
	go m.read() // creator: (*mailbox).read
	time.Sleep(work)
	if !leaks {
		m.put()
	}
}

func (m *mailbox) read() {
	m.L.Lock()
	defer m.L.Unlock()
	for m.letters == 0 {
		m.Wait() // waits: (*mailbox).read
	}
}

func (m *mailbox) put() {
	m.L.Lock()
	defer m.L.Unlock()
	m.letters++
	m.Signal() // waker: (*mailbox).read
}

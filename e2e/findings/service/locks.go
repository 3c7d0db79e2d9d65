package main

import (
	"sync"
	"time"
)

type stock struct {
	sync.Mutex
	left int
}

// updateStock leaks a goroutine that waits for a mutex which is never unlocked.
func updateStock(leaks bool) {
	var apples stock
	apples.Lock()
	go apples.take() // own: mutex
	time.Sleep(work)
	if !leaks {
		apples.release()
	}
}

func (s *stock) take() {
	s.Lock() // waits: mutex
	s.left--
	s.Unlock()
}

func (s *stock) release() { s.Unlock() } // waker: mutex

type prices struct {
	sync.RWMutex
	of map[string]int
}

// lookUpPrice leaks a goroutine that waits for a read lock of an RWMutex which is never unlocked.
func lookUpPrice(leaks bool) {
	p := &prices{of: make(map[string]int)}
	p.Lock()
	go p.get("apple") // own: rwmutex
	time.Sleep(work)
	if !leaks {
		p.publish()
	}
}

func (p *prices) get(name string) int {
	p.RLock() // waits: rwmutex
	defer p.RUnlock()
	return p.of[name]
}

func (p *prices) publish() { p.Unlock() } // waker: rwmutex

// countVotes leaks a goroutine that waits for a WaitGroup whose counter is wrong.
func countVotes(leaks bool) {
	votes := new(sync.WaitGroup)
	votes.Add(1)
	go publish(votes) // own: waitgroup
	time.Sleep(work)
	if !leaks {
		castVote(votes)
	}
}

func publish(votes *sync.WaitGroup) { votes.Wait() } // waits: waitgroup

func castVote(votes *sync.WaitGroup) { votes.Done() } // waker: waitgroup

type mailbox struct {
	sync.Cond
	letters int
}

// readMail leaks a goroutine that waits for a Cond which is never signaled.
func readMail(leaks bool) {
	m := &mailbox{Cond: sync.Cond{L: new(sync.Mutex)}}
	go m.read() // own: cond
	time.Sleep(work)
	if !leaks {
		m.put()
	}
}

func (m *mailbox) read() {
	m.L.Lock()
	defer m.L.Unlock()
	for m.letters == 0 {
		m.Wait() // waits: cond
	}
}

func (m *mailbox) put() {
	m.L.Lock()
	defer m.L.Unlock()
	m.letters++
	m.Signal() // waker: cond
}

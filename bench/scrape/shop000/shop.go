// Package shop000 simulates the service whose traces and profiles all targets of the benchmark serve. For each service
// the name of the package is replaced by another of the same length, so that services share function names of libraries
// only.
package shop000

import (
	"sync"
)

// Shop has a population of waiting goroutines, as a service does.
type Shop struct {
	end     chan struct{}
	started sync.WaitGroup
	leave   chan struct{} // each value ends a request
}

// kinds has the kinds of goroutines and their percentage.
var kinds = []struct {
	share int
	wait  func(*Shop)
}{
	{14, (*Shop).readRequests},
	{14, (*Shop).writeReplies},
	{12, (*Shop).handleOrder},
	{10, (*Shop).handleSearch},
	{8, (*Shop).poolConnection},
	{6, (*Shop).poolCleaner},
	{6, (*Shop).consumeEvents},
	{5, (*Shop).flushMetrics},
	{5, (*Shop).refreshCache},
	{4, (*Shop).watchConfig},
	{4, (*Shop).retryPayments},
	{3, (*Shop).publishEvents},
	{3, (*Shop).rotateKeys},
	{2, (*Shop).reportHealth},
	{1, (*Shop).electLeader},
	{1, (*Shop).signals},
	{1, (*Shop).accept},
	{1, (*Shop).expireSessions},
}

// Open starts a population of about n goroutines.
func Open(n int) *Shop {
	s := &Shop{end: make(chan struct{}), leave: make(chan struct{})}
	for _, k := range kinds {
		for range max(1, n*k.share/100) {
			s.started.Go(func() { k.wait(s) })
		}
	}
	return s
}

// Exchange ends n requests and starts as many.
func (s *Shop) Exchange(n int) {
	for range n {
		s.leave <- struct{}{}
		s.started.Go(s.handleOrder)
	}
}

// Close ends the population.
func (s *Shop) Close() {
	close(s.end)
	s.started.Wait()
}

func (s *Shop) readRequests() { s.receive() }
func (s *Shop) writeReplies() { <-s.end }
func (s *Shop) poolCleaner()  { s.tick() }
func (s *Shop) flushMetrics() { s.tick() }
func (s *Shop) refreshCache() { <-s.end }
func (s *Shop) watchConfig()  { s.receive() }
func (s *Shop) rotateKeys()   { <-s.end }
func (s *Shop) reportHealth() { s.tick() }
func (s *Shop) electLeader()  { <-s.end }
func (s *Shop) signals()      { <-s.end }
func (s *Shop) accept()       { s.receive() }

// handleOrder waits until Exchange or Close.
func (s *Shop) handleOrder() {
	select {
	case <-s.leave:
	case <-s.end:
	}
}

func (s *Shop) handleSearch() {
	var answers sync.WaitGroup
	answers.Go(func() { <-s.end })
	answers.Wait()
}

func (s *Shop) poolConnection() {
	select {
	case <-s.end:
	case <-make(chan struct{}):
	}
}

func (s *Shop) consumeEvents() {
	for range s.end {
		return
	}
}

func (s *Shop) retryPayments() {
	queue := make(chan struct{}, 1)
	select {
	case <-queue:
	case <-s.end:
	}
}

func (s *Shop) publishEvents() {
	select {
	case make(chan struct{}) <- struct{}{}:
	case <-s.end:
	}
}

func (s *Shop) expireSessions() {
	select {
	case <-s.end:
	case <-make(chan int):
	}
}

func (s *Shop) receive() { <-s.end }

func (s *Shop) tick() {
	select {
	case <-s.end:
	case <-make(chan bool):
	}
}

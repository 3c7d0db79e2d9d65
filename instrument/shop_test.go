package instrument

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// shop is a service in which one call in four forgets what others wait for.
type shop struct {
	never   chan struct{} // closed in the end, so that what leaks ends too
	serving sync.WaitGroup
}

func openShop(t *testing.T) {
	t.Helper()
	s := &shop{never: make(chan struct{})}
	closing := make(chan struct{})
	s.serving.Add(1)
	go s.serve(closing)
	t.Cleanup(func() {
		close(closing)
		close(s.never)
		s.serving.Wait()
	})
}

func (s *shop) serve(closing <-chan struct{}) {
	defer s.serving.Done()
	ticker := time.NewTicker(4 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-closing:
			return
		case <-ticker.C:
			forget := n%4 == 0
			s.quote(forget)
			s.checkOut(forget)
			s.remind(forget)
		}
	}
}

// quote asks for a price, and may not wait for the answer.
func (s *shop) quote(forget bool) {
	prices := make(chan int)
	s.serving.Add(1)
	go s.askPrice(prices)
	s.serving.Add(1)
	go func() {
		defer s.serving.Done()
		if forget {
			<-s.never
		}
		takePrice(prices)
	}()
}

func (s *shop) askPrice(prices chan<- int) {
	defer s.serving.Done()
	prices <- 1
}

func takePrice(prices <-chan int) { <-prices }

// checkOut starts what waits for a reply, which may never come.
func (s *shop) checkOut(forget bool) {
	reply := make(chan struct{}, 1)
	s.serving.Add(1)
	go s.waitForReply(reply)
	if !forget {
		time.AfterFunc(time.Millisecond, func() { sendReply(reply) })
	}
}

func (s *shop) waitForReply(reply chan struct{}) {
	defer s.serving.Done()
	select {
	case <-reply:
	case <-s.never:
	}
}

func sendReply(reply chan<- struct{}) { reply <- struct{}{} }

// remind has a timer start a goroutine, which may wait for ever.
func (s *shop) remind(forget bool) {
	s.serving.Add(1)
	time.AfterFunc(0, func() {
		defer s.serving.Done()
		if forget {
			s.waitForCustomer()
		}
	})
}

func (s *shop) waitForCustomer() { <-s.never }

// tracing are the options with which goroutines gather within seconds, and are traced.
func tracing(options ...Option) []Option {
	return append([]Option{
		WithInterval(300 * time.Millisecond), WithAgedAfter(100 * time.Millisecond),
		WithOrigins(), WithOriginsDuration(150 * time.Millisecond), WithOriginsBudget(1),
	}, options...)
}

// told are the origins that a handler was told of, by entry.
type told struct {
	mu sync.Mutex
	of map[string][]Origin
}

func (l *told) take(_ context.Context, o Origin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = make(map[string][]Origin)
	}
	entry := o.attribute(telemetry.AttrEntry)
	l.of[entry] = append(l.of[entry], o)
}

// latest returns the latest origin of an entry.
func (l *told) latest(entry string) (latest Origin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if all := l.of[entry]; len(all) > 0 {
		latest = all[len(all)-1]
	}
	return latest
}

func (o *Origin) attribute(key attribute.Key) string {
	set := attribute.NewSet(o.Attributes...)
	v, _ := set.Value(key)
	return v.AsString()
}

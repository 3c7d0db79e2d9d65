package healthy

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// client is one kind of client of a server. It connects, works until its context ends, and
// disconnects. Errors are part of the work: connections are cut in the middle of it.
type client struct {
	name string
	use  func(context.Context) error
}

// load runs clients. All of them end with the test.
type load struct {
	t       *testing.T
	clients []client
	running sync.WaitGroup
	worked  map[string]int // clients that ended without an error
	failed  map[string]error
	mu      sync.Mutex
}

func newLoad(t *testing.T, clients []client) *load {
	t.Helper()
	l := &load{t: t, clients: clients, worked: make(map[string]int), failed: make(map[string]error)}
	t.Cleanup(l.running.Wait)
	return l
}

// start starts the next client of each kind in turn, for a time.
func (l *load) start(ctx context.Context, nth int, lifetime time.Duration) {
	c := l.clients[nth%len(l.clients)]
	l.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, lifetime)
		defer cancel()
		err := c.use(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil {
			l.worked[c.name]++
		} else if ctx.Err() == nil {
			l.failed[c.name] = err
		}
	})
}

// residents connects clients, one every few milliseconds, that stay until ctx ends.
func (l *load) residents(ctx context.Context, number int) {
	for n := range number {
		l.start(ctx, n, time.Hour)
		if !wait(ctx, 20*time.Millisecond) {
			return
		}
	}
}

// meanLifetime is how long the clients of churn stay on average.
const meanLifetime = 5 * time.Second

// churn has clients come at random times, rate of them a second, and leave after an exponential
// lifetime, until ctx ends. The rate may change over the time since the begin.
func (l *load) churn(ctx context.Context, rate func(since time.Duration) float64) {
	random, began := rand.New(rand.NewPCG(1, 2)), time.Now()
	for n := 0; ; n++ {
		if !wait(ctx, time.Duration(random.ExpFloat64()/rate(time.Since(began))*float64(time.Second))) {
			return
		}
		l.start(ctx, n, time.Duration(random.ExpFloat64()*float64(meanLifetime)))
	}
}

// bursts has a number of clients come at once, every now and then, and leave within a second.
func (l *load) bursts(ctx context.Context, every time.Duration, number int) {
	for wait(ctx, every) {
		for n := range number {
			l.start(ctx, n, time.Second)
		}
	}
}

// staying has one client after the other come, and stay until ctx ends.
func (l *load) staying(ctx context.Context, every time.Duration) {
	for n := 0; wait(ctx, every); n++ {
		l.start(ctx, n, time.Hour)
	}
}

// wait waits, and tells whether ctx goes on.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// repeat does something again and again until ctx ends, with a pause between.
func repeat(ctx context.Context, pause time.Duration, do func() error) error {
	for {
		if err := do(); err != nil && ctx.Err() == nil {
			return err
		}
		if !wait(ctx, pause) {
			return nil
		}
	}
}

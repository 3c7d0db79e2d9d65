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

// load runs clients, all of which end with the test.
type load struct {
	t       *testing.T
	clients []client
	running sync.WaitGroup
	worked  map[string]int // clients that returned no error
	failed  map[string]error
	mu      sync.Mutex
}

func newLoad(t *testing.T, clients []client) *load {
	t.Helper()
	l := &load{t: t, clients: clients, worked: make(map[string]int), failed: make(map[string]error)}
	t.Cleanup(l.running.Wait)
	return l
}

// start starts the nth client, of each kind in turn, for a lifetime.
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

// residents starts clients in short intervals that stay until ctx is done.
func (l *load) residents(ctx context.Context, number int) {
	for n := range number {
		l.start(ctx, n, time.Hour)
		if !wait(ctx, 20*time.Millisecond) {
			return
		}
	}
}

// meanLifetime is the mean lifetime of the clients of churn.
const meanLifetime = 5 * time.Second

// churn starts clients at random times with exponentially distributed lifetimes until ctx is done. rate
// returns the number of clients per second at a time since the start.
func (l *load) churn(ctx context.Context, rate func(since time.Duration) float64) {
	random, began := rand.New(rand.NewPCG(1, 2)), time.Now()
	for n := 0; ; n++ {
		if !wait(ctx, time.Duration(random.ExpFloat64()/rate(time.Since(began))*float64(time.Second))) {
			return
		}
		l.start(ctx, n, time.Duration(random.ExpFloat64()*float64(meanLifetime)))
	}
}

// bursts starts a number of clients at once in regular intervals, each for a second.
func (l *load) bursts(ctx context.Context, every time.Duration, number int) {
	for wait(ctx, every) {
		for n := range number {
			l.start(ctx, n, time.Second)
		}
	}
}

// staying starts a client in regular intervals. All stay until ctx is done.
func (l *load) staying(ctx context.Context, every time.Duration) {
	for n := 0; wait(ctx, every); n++ {
		l.start(ctx, n, time.Hour)
	}
}

// wait waits for d and returns true, or returns false when ctx is done.
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

// repeat calls do until ctx is done, with a pause between calls.
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

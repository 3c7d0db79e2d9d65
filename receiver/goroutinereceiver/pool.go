package goroutinereceiver

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
)

// pool is what all receivers of a factory share. A receiver_creator makes one receiver a
// pod, so a bound of each receiver would bound nothing.
type pool struct {
	// slots bounds how many answers are held in memory at once. A target that has not begun
	// to answer takes none, so hung targets are no hindrance.
	slots *limiter
	// decoding bounds how many answers are decoded at once: more than there are
	// processors costs memory and gains nothing. Decoding is not cancellable, so it
	// also bounds how long Shutdown takes.
	decoding *limiter
	buffers  sync.Pool // *bytes.Buffer, of at most twice small
	// targets is how many there are, and maxConnections how many connections are kept alive.
	targets        atomic.Int64
	maxConnections int64
	// scout decides which targets are traced for origins, over all services.
	scout *scout.Scout
}

func newPool() *pool {
	return &pool{
		slots:    &limiter{},
		decoding: &limiter{limits: []int{runtime.GOMAXPROCS(0)}},
		buffers:  sync.Pool{New: func() any { return new(bytes.Buffer) }},
		// The other half of the files is for the rest of the collector.
		maxConnections: openFiles() / 2,
		scout:          scout.New(),
	}
}

// keepsConnections reports whether connections are kept alive from one scrape to the next. If
// there were too many, net/http would close each before its target is scraped again.
func (p *pool) keepsConnections() bool { return p.targets.Load() <= p.maxConnections }

// join has the limit of a receiver hold for all. leave takes it back.
func (p *pool) join(limit int) (leave func()) {
	p.slots.add(limit)
	p.decoding.add(limit)
	return sync.OnceFunc(func() {
		p.slots.remove(limit)
		p.decoding.remove(limit)
	})
}

// limiter is a semaphore whose size is the smallest of several limits, which come and go.
// Without any it has no bound. Slots are given in the order in which they were asked for. It
// is safe for concurrent use.
type limiter struct {
	mu      sync.Mutex
	limits  []int
	held    int
	waiting []chan struct{} // each is closed when it is given a slot
}

func (l *limiter) add(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limits = append(l.limits, limit)
	l.give()
}

func (l *limiter) remove(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.limits, limit); i >= 0 {
		l.limits = slices.Delete(l.limits, i, i+1)
	}
	l.give()
}

// acquire waits for a slot until ctx ends, and returns its error then.
func (l *limiter) acquire(ctx context.Context) error {
	given := make(chan struct{})
	l.mu.Lock()
	l.waiting = append(l.waiting, given)
	l.give()
	l.mu.Unlock()
	select {
	case <-given:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, given); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	} else { // it was given at the same moment
		l.held--
		l.give()
	}
	return ctx.Err()
}

func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held--
	l.give()
}

// give gives free slots to those that wait.
func (l *limiter) give() {
	for len(l.waiting) > 0 && (len(l.limits) == 0 || l.held < slices.Min(l.limits)) {
		l.held++
		close(l.waiting[0])
		l.waiting = slices.Delete(l.waiting, 0, 1)
	}
}

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

// pool is shared by all receivers of a factory. receiver_creator creates a receiver per pod, so
// limits of each receiver would not limit the collector.
type pool struct {
	// slots limits how many responses are in memory at once. A target takes no slot until it
	// responds, so hung targets do not block others.
	slots *limiter
	// decoding limits how many responses are decoded at once: more than the number of
	// processors costs memory and gains nothing. Decoding is not cancellable, so this also
	// bounds how long Shutdown takes.
	decoding *limiter
	buffers  sync.Pool // of *bytes.Buffer, of at most twice smallBody
	// targets is the number of targets, and maxConnections how many connections are kept alive.
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
		// The rest of the collector has the other half.
		maxConnections: maxOpenFiles() / 2,
		scout:          scout.New(),
	}
}

// keepsConnections reports whether connections are kept alive between scrapes. Beyond the limit of
// idle connections, net/http would close each before its next use.
func (p *pool) keepsConnections() bool { return p.targets.Load() <= p.maxConnections }

// join adds the limit of a receiver. leave removes it.
func (p *pool) join(limit int) (leave func()) {
	p.slots.add(limit)
	p.decoding.add(limit)
	return sync.OnceFunc(func() {
		p.slots.remove(limit)
		p.decoding.remove(limit)
	})
}

// limiter is a semaphore whose size is the smallest of several limits. Without limits it is
// unbounded. Slots are granted in the order of the calls to acquire. limiter is safe for
// concurrent use.
type limiter struct {
	mu      sync.Mutex
	limits  []int
	held    int
	waiting []chan struct{} // closed when the slot is granted
}

func (l *limiter) add(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limits = append(l.limits, limit)
	l.grant()
}

func (l *limiter) remove(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.limits, limit); i >= 0 {
		l.limits = slices.Delete(l.limits, i, i+1)
	}
	l.grant()
}

// acquire waits for a slot. If ctx is done first, it returns the error of ctx.
func (l *limiter) acquire(ctx context.Context) error {
	granted := make(chan struct{})
	l.mu.Lock()
	l.waiting = append(l.waiting, granted)
	l.grant()
	l.mu.Unlock()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, granted); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	} else { // granted at the same time
		l.held--
		l.grant()
	}
	return ctx.Err()
}

func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held--
	l.grant()
}

// grant grants free slots to waiting callers.
func (l *limiter) grant() {
	for len(l.waiting) > 0 && (len(l.limits) == 0 || l.held < slices.Min(l.limits)) {
		l.held++
		close(l.waiting[0])
		l.waiting = slices.Delete(l.waiting, 0, 1)
	}
}

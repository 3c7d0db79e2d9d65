package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// behaviour is what a target does besides serving traces. It is also its service.name.
type behaviour string

const (
	// A steady target does nothing else.
	steady behaviour = "steady"
	// A leaking target leaks until its process is replaced, as if it had run out of memory.
	leaking behaviour = "leaking"
	// The process of a restarting target is replaced once in each period, behind a connection that stays
	// open, as if it were behind a proxy.
	restarting behaviour = "restarting"
	// An absent target responds 503 or 404 for a part of each period.
	absent behaviour = "absent"
	// A dying target closes its listener and all connections for a part of each period. Then another
	// process listens at its address.
	dying behaviour = "dying"
)

// percent is the percentage of targets with each behaviour.
var percent = []struct {
	behaviour
	count int
}{{steady, 79}, {leaking, 5}, {restarting, 8}, {absent, 5}, {dying, 3}}

const (
	churnPeriod = 20 * time.Second
	churnAway   = 5 * time.Second // of each period
	// replacedAt is the number of leaked goroutines at which a leaking process is replaced, so that the
	// collector's state does not grow without limit.
	replacedAt = 300
)

// targetPool has all targets. One server serves most of them, each at its own path.
type targetPool struct {
	targets []*target
	shared  *httptest.Server
	began   time.Time
	// calm means that all targets respond, and no process is replaced.
	calm atomic.Bool

	mu sync.Mutex
	// blocked is closed when the targets may respond.
	blocked chan struct{}
}

// target is an address behind which there is one process at a time.
type target struct {
	behaviour
	pool  *targetPool
	index int
	// endpoint is also its service.instance.id.
	endpoint string

	mu      sync.Mutex
	process *process
	period  int64 // of the process
	// served is the number of served traces, at the time of the latest.
	served int64
	at     time.Time
	// server serves a dying target. It is nil while the target is away.
	server *http.Server
}

func newTargetPool(t *testing.T, hundreds int) *targetPool {
	t.Helper()
	p := &targetPool{began: time.Now(), blocked: make(chan struct{})}
	close(p.blocked)
	mux := http.NewServeMux()
	p.shared = httptest.NewServer(mux)
	t.Cleanup(p.shared.Close)
	for _, kind := range percent {
		for range hundreds * kind.count {
			added := p.add(t, kind.behaviour)
			mux.Handle(fmt.Sprintf("GET /%d/debug/pprof/trace", added.index), added)
		}
	}
	p.startChurn(t)
	return p
}

func (p *targetPool) add(t *testing.T, kind behaviour) *target {
	t.Helper()
	added := &target{behaviour: kind, pool: p, index: len(p.targets)}
	added.endpoint = fmt.Sprintf("%s/%d/debug/pprof", p.shared.Listener.Addr(), added.index)
	added.replace(p.began)
	if kind == dying {
		added.endpoint = loopback.FreeAddress(t)
		require.NoError(t, added.listen(t.Context()))
		t.Cleanup(added.die)
	}
	p.targets = append(p.targets, added)
	return added
}

// startChurn starts a goroutine that opens and closes the listeners of the dying targets.
func (p *targetPool) startChurn(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var churn sync.WaitGroup
	churn.Go(func() {
		again := time.NewTicker(250 * time.Millisecond)
		defer again.Stop()
		for ctx.Err() == nil {
			for _, target := range p.targets {
				if target.behaviour == dying {
					target.comeAndGo(ctx)
				}
			}
			select {
			case <-again.C:
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(func() {
		stop()
		churn.Wait()
	})
}

// block lets all targets accept requests but not respond until unblock is called, so that no data arrives
// while connections stay open.
func (p *targetPool) block() (unblock func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	blocked := make(chan struct{})
	p.blocked = blocked
	return sync.OnceFunc(func() { close(blocked) })
}

func (p *targetPool) whenUnblocked() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blocked
}

// allServedSince reports whether every target has served a trace since then.
func (p *targetPool) allServedSince(then time.Time) bool {
	for _, target := range p.targets {
		if _, at := target.scrapes(); !at.After(then) {
			return false
		}
	}
	return true
}

// served returns the number of served traces: of all targets, and of those on the shared server.
func (p *targetPool) served() (all, onShared int64) {
	for _, target := range p.targets {
		n, _ := target.scrapes()
		all += n
		if target.behaviour != dying {
			onShared += n
		}
	}
	return all, onShared
}

// sharedPort returns the server.port of all targets on the shared server.
func (p *targetPool) sharedPort() string {
	_, port, _ := strings.Cut(p.shared.Listener.Addr().String(), ":")
	return port
}

func (t *target) scrapes() (int64, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.served, t.at
}

// phase returns the current period of the target, and whether it is in the part at the end in which the
// target is away. Targets have different phases.
func (t *target) phase(now time.Time) (period int64, away bool) {
	at := now.Sub(t.pool.began) + time.Duration(t.index)*777*time.Millisecond
	return int64(at / churnPeriod), at%churnPeriod >= churnPeriod-churnAway && !t.pool.calm.Load()
}

func (t *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-t.pool.whenUnblocked():
	case <-r.Context().Done():
		return
	}
	now := time.Now()
	period, away := t.phase(now)
	if away && t.behaviour == absent {
		w.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusNotFound}[t.index%2])
		return
	}
	if _, err := w.Write(t.trace(now, period)); err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.served, t.at = t.served+1, now
	}
}

func (t *target) trace(now time.Time, period int64) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.pool.calm.Load() && (t.behaviour == restarting && period != t.period || t.process.leaked > replacedAt) {
		t.replace(now)
	}
	return t.process.trace(now)
}

// replace replaces the process with a new one.
func (t *target) replace(now time.Time) {
	t.process = newProcess(uint64(t.index), t.behaviour == leaking, now)
	t.period, _ = t.phase(now)
}

// comeAndGo opens or closes the listener of a dying target by its phase. If the port is in use, it tries
// again at the next call.
func (t *target) comeAndGo(ctx context.Context) {
	now := time.Now()
	_, away := t.phase(now)
	switch {
	case away:
		t.die()
	case t.server == nil:
		t.mu.Lock()
		t.replace(now)
		t.mu.Unlock()
		_ = t.listen(ctx)
	}
}

func (t *target) listen(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", t.endpoint)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /debug/pprof/trace", t)
	t.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(listener) }(t.server) // until it is closed
	return nil
}

func (t *target) die() {
	if t.server != nil {
		_ = t.server.Close() // cuts the connections on purpose
		t.server = nil
	}
}

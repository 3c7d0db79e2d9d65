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

// behaviour is what a target does besides serving traces. It is its service.name.
type behaviour string

const (
	// steady targets do nothing else.
	steady behaviour = "steady"
	// leaking targets leak until they are replaced, as one is that has run out
	// of memory.
	leaking behaviour = "leaking"
	// restarting targets are replaced once a period: IDs begin anew, behind a
	// connection that stays, as behind a proxy.
	restarting behaviour = "restarting"
	// absent targets answer 503 or 404 for a part of each period.
	absent behaviour = "absent"
	// dying targets have a listener of their own, which is closed with all
	// connections for a part of each period. Then another process listens there.
	dying behaviour = "dying"
)

// percent is how many of a hundred targets behave so.
var percent = []struct {
	behaviour
	count int
}{{steady, 79}, {leaking, 5}, {restarting, 8}, {absent, 5}, {dying, 3}}

const (
	churnPeriod = 20 * time.Second
	churnAway   = 5 * time.Second // of each period
	// replacedAt is how many goroutines a leaking process has lost when it is
	// replaced. So what the collector must remember does not grow for ever.
	replacedAt = 300
)

// world is all targets. Most of them are served by one server, by their paths.
type world struct {
	targets []*target
	shared  *httptest.Server
	began   time.Time
	// calm has all targets be there, and none be replaced.
	calm atomic.Bool

	mu sync.Mutex
	// held is closed when the targets may answer.
	held chan struct{}
}

// target is one process at a time behind one address.
type target struct {
	behaviour
	world *world
	index int
	// endpoint is its service.instance.id too.
	endpoint string

	mu      sync.Mutex
	process *process
	period  int64 // of the process
	// served is how many traces were answered, and at is when the latest was.
	served int64
	at     time.Time
	// server is that of a dying target, nil while it is away.
	server *http.Server
}

func newWorld(t *testing.T, hundreds int) *world {
	t.Helper()
	w := &world{began: time.Now(), held: make(chan struct{})}
	close(w.held)
	mux := http.NewServeMux()
	w.shared = httptest.NewServer(mux)
	t.Cleanup(w.shared.Close)
	for _, kind := range percent {
		for range hundreds * kind.count {
			of := w.add(t, kind.behaviour)
			mux.Handle(fmt.Sprintf("GET /%d/debug/pprof/trace", of.index), of)
		}
	}
	w.startChurn(t)
	return w
}

func (w *world) add(t *testing.T, kind behaviour) *target {
	t.Helper()
	of := &target{behaviour: kind, world: w, index: len(w.targets)}
	of.endpoint = fmt.Sprintf("%s/%d/debug/pprof", w.shared.Listener.Addr(), of.index)
	of.replace(w.began)
	if kind == dying {
		of.endpoint = loopback.FreeAddress(t)
		require.NoError(t, of.listen(t.Context()))
		t.Cleanup(of.die)
	}
	w.targets = append(w.targets, of)
	return of
}

// startChurn has the dying targets come and go.
func (w *world) startChurn(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var churn sync.WaitGroup
	churn.Go(func() {
		again := time.NewTicker(250 * time.Millisecond)
		defer again.Stop()
		for ctx.Err() == nil {
			for _, of := range w.targets {
				if of.behaviour == dying {
					of.comeAndGo(ctx)
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

// hold has all targets take requests and not answer them, until release. So there
// is nothing to be received, while every connection stays.
func (w *world) hold() (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := make(chan struct{})
	w.held = held
	return sync.OnceFunc(func() { close(held) })
}

func (w *world) whenReleased() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held
}

// allServedSince tells whether every target has served a trace since then.
func (w *world) allServedSince(then time.Time) bool {
	for _, of := range w.targets {
		if _, at := of.scrapes(); !at.After(then) {
			return false
		}
	}
	return true
}

// served returns how many traces were answered: all, and of those on the server that
// is never closed.
func (w *world) served() (all, onShared int64) {
	for _, of := range w.targets {
		n, _ := of.scrapes()
		all += n
		if of.behaviour != dying {
			onShared += n
		}
	}
	return all, onShared
}

// sharedPort is the server.port of all targets that are never closed.
func (w *world) sharedPort() string {
	_, port, _ := strings.Cut(w.shared.Listener.Addr().String(), ":")
	return port
}

func (t *target) scrapes() (int64, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.served, t.at
}

// phase returns the period that the target is in, and whether it is away for its end.
// Each begins at another time.
func (t *target) phase(now time.Time) (period int64, away bool) {
	at := now.Sub(t.world.began) + time.Duration(t.index)*777*time.Millisecond
	return int64(at / churnPeriod), at%churnPeriod >= churnPeriod-churnAway && !t.world.calm.Load()
}

func (t *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-t.world.whenReleased():
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
	if !t.world.calm.Load() && (t.behaviour == restarting && period != t.period || t.process.leaked > replacedAt) {
		t.replace(now)
	}
	return t.process.trace(now)
}

// replace has another process take the place of the one that was there.
func (t *target) replace(now time.Time) {
	t.process = newProcess(uint64(t.index), t.behaviour == leaking, now)
	t.period, _ = t.phase(now)
}

// comeAndGo has a dying target be there, or not. If its port was taken meanwhile, it
// is away for a bit longer.
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
		_ = t.server.Close() // the connections are cut on purpose
		t.server = nil
	}
}

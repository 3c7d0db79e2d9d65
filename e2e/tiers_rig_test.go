package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fleet is the instances of all services, behind one server.
type fleet struct {
	server *httptest.Server

	mu        sync.Mutex
	processes map[string][]*process
	served    int // traces
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{processes: make(map[string][]*process)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{service}/{instance}/debug/pprof/trace", f.serveTrace)
	for i := range services {
		for k := range perService {
			p := newProcess(uint64(i*perService+k), i%eachLeaking == 0, time.Now())
			f.processes[serviceName(i)] = append(f.processes[serviceName(i)], p)
		}
	}
	f.server = httptest.NewServer(mux)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fleet) serveTrace(w http.ResponseWriter, r *http.Request) {
	var instance int
	if _, err := fmt.Sscan(r.PathValue("instance"), &instance); err != nil {
		http.NotFound(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served++
	_, _ = w.Write(f.processes[r.PathValue("service")][instance].trace(time.Now()))
}

// traces returns how many traces were asked for.
func (f *fleet) traces() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.served
}

// leak has all instances of a service leak from now on.
func (f *fleet) leak(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.processes[service] {
		p.leaks = true
	}
}

// targets returns the instances that an agent scrapes, some of each service.
func (f *fleet) targets(t *testing.T, agent int) string {
	t.Helper()
	type target struct {
		Endpoint    string `json:"endpoint"`
		ServiceName string `json:"service_name"`
	}
	var all []target
	for i := range services {
		for k := range perService {
			if (i+k)%agents == agent {
				all = append(all, target{fmt.Sprintf("%s/%s/%d/debug/pprof", f.server.URL, serviceName(i), k), serviceName(i)})
			}
		}
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text)
}

// member is one collector of a tier, which can end and start again.
type member struct {
	env     []string
	args    []string
	output  string // of a detector
	state   string // likewise
	otlp    string // where it takes OTLP: over HTTP, a detector over gRPC
	health  string // where it tells that it is ready, of an agent
	process *os.Process
	stop    func()
}

func (m *member) start(t *testing.T, env ...string) {
	t.Helper()
	m.process, m.stop = launch(t, append(env, m.env...), collector, m.args...)
}

// awaitReady waits until the collector takes data.
func (m *member) awaitReady(t *testing.T) {
	t.Helper()
	await(t, time.Minute, "it is ready", func() bool { return strings.Contains(pageAt(t.Context(), "http://"+m.health), "Server available") })
}

// awaitKept waits until a detector keeps its state once more.
func (m *member) awaitKept(t *testing.T) {
	t.Helper()
	keptAt := func() time.Time {
		file, err := os.Stat(filepath.Join(m.state, "processor-leak_detect.store"))
		require.NoError(t, err)
		return file.ModTime()
	}
	before := keptAt()
	await(t, 70*time.Second, "the state is kept", func() bool { return keptAt().After(before) })
}

// kill gives the collector no chance to keep anything.
func (m *member) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, m.process.Kill())
	m.stop()
}

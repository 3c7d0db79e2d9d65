package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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

// fleet serves the traces of the instances of all services.
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
			p := newProcess(uint64(i*perService+k), i%leakyEvery == 0, time.Now())
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

// traces returns the number of served traces.
func (f *fleet) traces() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.served
}

// leak makes all instances of a service leak from now on.
func (f *fleet) leak(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.processes[service] {
		p.leaks = true
	}
}

// targets returns the configuration of the targets of an agent, some of each service.
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

// member is a collector that can be stopped and started again.
type member struct {
	env     []string
	args    []string
	output  string // of a detector or of findings
	state   string // of a detector
	otlp    string // address for OTLP over HTTP, of a detector over gRPC
	health  string // address of health_check, of an agent
	process *os.Process
	stop    func()
}

func (m *member) start(t *testing.T, env ...string) {
	t.Helper()
	m.process, m.stop = launch(t, append(env, m.env...), collector, m.args...)
}

// awaitReady waits until the collector accepts data.
func (m *member) awaitReady(t *testing.T) {
	t.Helper()
	await(t, time.Minute, "the collector is ready", func() bool { return strings.Contains(pageAt(t.Context(), "http://"+m.health), "Server available") })
}

// savedAt returns when a detector last saved its state, or the zero time if it has not saved it yet.
func (m *member) savedAt(t *testing.T) time.Time {
	t.Helper()
	file, err := os.Stat(filepath.Join(m.state, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}
	}
	require.NoError(t, err)
	return file.ModTime()
}

// kill kills the collector, which cannot save its state.
func (m *member) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, m.process.Kill())
	m.stop()
}

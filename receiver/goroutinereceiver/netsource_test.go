package goroutinereceiver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
)

// listServer is a server with an exchangeable handler.
type listServer struct {
	handler atomic.Pointer[http.HandlerFunc]
	asked   atomic.Pointer[url.URL] // the latest
}

func (s *listServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Store(r.URL)
	(*s.handler.Load())(w, r)
}

func (s *listServer) handle(handler http.HandlerFunc) { s.handler.Store(&handler) }

func (s *listServer) text(text string) {
	s.handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

func (s *listServer) status(code int) {
	s.handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
	})
}

// listClient returns a client as the receiver creates it.
func listClient(t *testing.T, cfg *Config) *http.Client {
	t.Helper()
	pollers, closers, err := newPollers(t.Context(), cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, c := range closers {
			c()
		}
	})
	return pollers[0].source.(*httpSource).client
}

func TestHTTP(t *testing.T) {
	server := &listServer{}
	at := "http://" + serve(t, server) + "/targets?token=secret"
	cfg := createDefaultConfig().(*Config)
	cfg.HTTPSD = []HTTPSDConfig{{ClientConfig: defaultClientConfig(), Interval: time.Minute}}
	cfg.HTTPSD[0].ClientConfig.Endpoint = at
	cfg.HTTPSD[0].ClientConfig.Timeout = time.Minute // for 64 MiB, with the race detector
	p := newLoggedPoller(&httpSource{client: listClient(t, cfg), url: at})

	server.text(listOf("a:1", "b:1"))
	require.Equal(t, []string{"a:1", "b:1"}, p.ids(t))
	assert.Equal(t, "token=secret", server.asked.Load().RawQuery)
	_, changed := p.poll(t.Context())
	assert.False(t, changed)

	for what, spoil := range map[string]func(){
		"HTTP status 503":            func() { server.status(http.StatusServiceUnavailable) },
		"redirects are not followed": func() { server.status(http.StatusFound) },
		`is the "endpoint" right`:    func() { server.status(http.StatusNotFound) },
		"HTTP status 401":            func() { server.status(http.StatusUnauthorized) },
		"not JSON, or cut off":       func() { server.text("<html>") },
		"fewer than 67108864 bytes (chunked)": func() {
			server.handle(func(w http.ResponseWriter, _ *http.Request) {
				for range 65 {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return
					}
				}
			})
		},
		"fewer than 67108864 bytes": func() {
			server.handle(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "67108864") })
		},
		"failed to read the response": func() {
			server.handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte("[{"))
			})
		},
	} {
		spoil()
		p.lists[strings.TrimSuffix(at, "?token=secret")].failing = false
		assert.Equal(t, []string{"a:1", "b:1"}, p.ids(t), what)
		entries := p.logs.FilterMessage(listFailed).All()
		entry := entries[len(entries)-1].ContextMap()
		assert.Contains(t, entry["error"], strings.TrimSuffix(what, " (chunked)"))
		assert.NotContains(t, fmt.Sprint(entry), "secret")
		assert.Equal(t, 1, p.failingLists())
	}
	assert.NotEqual(t, "/elsewhere", server.asked.Load().Path)

	_, err := fetchList(t.Context(), p.source.(*httpSource).client, "http://169.254.169.254/latest", 1, nil)
	require.ErrorContains(t, err, "allow_link_local")

	server.handle(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg.HTTPSD[0].ClientConfig.Timeout = 50 * time.Millisecond
	_, err = fetchList(t.Context(), listClient(t, cfg), at, 1, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	server.text("[]")
	assert.Empty(t, p.ids(t), "an empty list is valid")
	assert.Equal(t, 1, p.logged(listRecovered))
	assert.Zero(t, p.failingLists())
}

// allocator serves jobs like the allocator of the OpenTelemetry Operator.
type allocator struct {
	*listServer
	jobs map[string]string // targets by job
}

func (a *allocator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.handler.Load() != nil {
		a.listServer.ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/jobs" {
		links := []string{}
		for job := range a.jobs {
			links = append(links, fmt.Sprintf(`%q: {"_link": "/jobs/%s/targets"}`, job, url.QueryEscape(job)))
		}
		_, _ = w.Write([]byte("{" + strings.Join(links, ",") + "}"))
		return
	}
	parts := strings.Split(r.URL.EscapedPath(), "/")
	job, err := url.QueryUnescape(parts[2])
	if err != nil || len(parts) != 4 || parts[3] != "targets" || r.URL.Query().Get("collector_id") != "detector-0" || a.jobs[job] == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte(a.jobs[job]))
}

func TestAllocator(t *testing.T) {
	server := &allocator{listServer: &listServer{}, jobs: map[string]string{
		"serviceMonitor/shop/cart/0": listOf("a:1"), "pod monitor?": `[{"targets": ["b:1"], "labels": {"__meta_kubernetes_pod_name": "b-0"}}]`, "none": "[]",
	}}
	base, err := url.Parse("http://" + serve(t, server))
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	pollerOfJob := func(job string) loggedPoller {
		return newLoggedPoller(&allocatorSource{client: client, base: base, collectorID: "detector-0", job: job})
	}
	p := pollerOfJob("")
	require.Equal(t, []string{"b:1", "a:1"}, p.ids(t), "sorted by job")
	assert.Equal(t, "b-0", p.targets()[0].Attributes["k8s.pod.name"])
	assert.Equal(t, []string{"a:1"}, pollerOfJob("serviceMonitor/shop/cart/0").ids(t))

	// A failing job keeps its targets, and the others are updated.
	server.jobs["pod monitor?"], server.jobs["none"] = "", listOf("c:1")
	assert.Equal(t, []string{"c:1", "b:1", "a:1"}, p.ids(t))
	assert.Equal(t, 1, p.failingLists())
	server.jobs["pod monitor?"] = "[]"
	assert.Equal(t, []string{"c:1", "a:1"}, p.ids(t))
	delete(server.jobs, "serviceMonitor/shop/cart/0")
	assert.Equal(t, []string{"c:1"}, p.ids(t))
	assert.Equal(t, 1, p.logged(listRemoved))

	// The allocator fails for ten minutes.
	server.status(http.StatusServiceUnavailable)
	for range 20 {
		assert.Equal(t, []string{"c:1"}, p.ids(t))
	}
	assert.Equal(t, 1, p.logged(sourceFailed), "logged once")
	assert.Equal(t, 2, p.failingLists())
	server.handler.Store(nil)
	assert.Equal(t, []string{"c:1"}, p.ids(t))
	assert.Equal(t, 1, p.logged(sourceRecovered))
	for _, text := range []string{"[]", "<html>", `{"a": 1}`, "{" + strings.Repeat(`"a": {},`, 200_000) + `"b": {}}`} {
		server.text(text)
		assert.Equal(t, []string{"c:1"}, p.ids(t))
	}
	var jobs strings.Builder
	for i := range maxJobs + 1 {
		fmt.Fprintf(&jobs, `"%d": {"_link": "http://169.254.169.254/"},`, i)
	}
	server.text("{" + jobs.String() + `"": {}}`)
	p.failing = false
	assert.Equal(t, []string{"c:1"}, p.ids(t))
	entries := p.logs.FilterMessage(sourceFailed).All()
	assert.Contains(t, entries[len(entries)-1].ContextMap()["error"], `more than 1000 jobs: choose one by "job"`)
}

func TestDNS(t *testing.T) {
	names := startDNSStub(t, map[string][]string{"cart.test.": {"127.0.0.7", "127.0.0.5"}})
	p := newLoggedPoller(&dnsSource{names: []string{"cart.test."}, recordType: recordA, port: 6060})
	assert.Equal(t, []string{"127.0.0.5:6060", "127.0.0.7:6060"}, p.ids(t))
	names.set("cart.test.", "127.0.0.7", "127.0.0.5")
	_, changed := p.poll(t.Context())
	assert.False(t, changed, "another order is not a change")

	// A response with a link-local address is refused.
	names.set("cart.test.", "169.254.169.254", "127.0.0.8")
	assert.Equal(t, []string{"127.0.0.5:6060", "127.0.0.7:6060"}, p.ids(t))
	require.Equal(t, 1, p.logged(listFailed))
	assert.Contains(t, p.logs.FilterMessage(listFailed).All()[0].ContextMap()["error"], "169.254.169.254 is the link-local address")
	allowed := newLoggedPoller(&dnsSource{names: []string{"cart.test."}, recordType: recordA, port: 6060, guard: dialGuard{allowLinkLocal: []string{"169.254.169.254"}}})
	assert.Equal(t, []string{"127.0.0.8:6060", "169.254.169.254:6060"}, allowed.ids(t))

	names.fail.Store(true)
	assert.Equal(t, []string{"127.0.0.5:6060", "127.0.0.7:6060"}, p.ids(t), "a name server that fails")
	names.fail.Store(false)
	names.set("cart.test.")
	assert.Empty(t, p.ids(t), "a name without records")

	v6 := newLoggedPoller(&dnsSource{names: []string{"six.test."}, recordType: recordAAAA, port: 6060})
	names.set("six.test.", "fd00::5")
	assert.Equal(t, []string{"[fd00::5]:6060"}, v6.ids(t))
	names.set("six.test.", "fe80::1")
	assert.Equal(t, []string{"[fd00::5]:6060"}, v6.ids(t))

	srv := newLoggedPoller(&dnsSource{names: []string{"_pprof._tcp.test."}, recordType: recordSRV})
	names.setService("_pprof._tcp.test.", 6061, 6060)
	assert.Equal(t, []string{"p6060.test:6060", "p6061.test:6061"}, srv.ids(t))
	assert.Zero(t, srv.failingLists())
}

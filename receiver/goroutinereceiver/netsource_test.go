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

// listServer answers what it is told to.
type listServer struct {
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Pointer[url.URL]
}

func (s *listServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Store(r.URL)
	(*s.answer.Load())(w, r)
}

func (s *listServer) say(handler http.HandlerFunc) { s.answer.Store(&handler) }

func (s *listServer) text(text string) {
	s.say(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

func (s *listServer) status(code int) {
	s.say(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
	})
}

// listClient is a client as the receiver makes it.
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
	p := pollerOf(&httpSource{client: listClient(t, cfg), url: at})

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
			server.say(func(w http.ResponseWriter, _ *http.Request) {
				for range 65 {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return
					}
				}
			})
		},
		"fewer than 67108864 bytes": func() {
			server.say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "67108864") })
		},
		"the answer broke off": func() {
			server.say(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte("[{"))
			})
		},
	} {
		spoil()
		p.lists[strings.TrimSuffix(at, "?token=secret")].failing = false
		assert.Equal(t, []string{"a:1", "b:1"}, p.ids(t), what)
		said := p.logs.FilterMessage(listLost).All()
		entry := said[len(said)-1].ContextMap()
		assert.Contains(t, entry["error"], strings.TrimSuffix(what, " (chunked)"))
		assert.NotContains(t, fmt.Sprint(entry), "secret")
		assert.Equal(t, 1, p.failingLists())
	}
	assert.NotEqual(t, "/elsewhere", server.asked.Load().Path)

	_, err := get(t.Context(), p.source.(*httpSource).client, "http://169.254.169.254/latest", 1, nil)
	require.ErrorContains(t, err, "allow_link_local")

	server.say(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg.HTTPSD[0].ClientConfig.Timeout = 50 * time.Millisecond
	_, err = get(t.Context(), listClient(t, cfg), at, 1, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	server.text("[]")
	assert.Empty(t, p.ids(t), "an empty list is one")
	assert.Equal(t, 1, p.said(listBack))
	assert.Zero(t, p.failingLists())
}

// allocator serves jobs as the Operator's does.
type allocator struct {
	*listServer
	jobs map[string]string // targets by job
}

func (a *allocator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.answer.Load() != nil {
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
	of := func(job string) polled {
		return pollerOf(&allocatorSource{client: client, base: base, collectorID: "detector-0", job: job})
	}
	p := of("")
	require.Equal(t, []string{"b:1", "a:1"}, p.ids(t), "by the names of their jobs")
	assert.Equal(t, "b-0", p.targets()[0].Attributes["k8s.pod.name"])
	assert.Equal(t, []string{"a:1"}, of("serviceMonitor/shop/cart/0").ids(t))

	// One job that cannot be had keeps its targets, and those of others go on.
	server.jobs["pod monitor?"], server.jobs["none"] = "", listOf("c:1")
	assert.Equal(t, []string{"c:1", "b:1", "a:1"}, p.ids(t))
	assert.Equal(t, 1, p.failingLists())
	server.jobs["pod monitor?"] = "[]" // it was emptied
	assert.Equal(t, []string{"c:1", "a:1"}, p.ids(t))
	delete(server.jobs, "serviceMonitor/shop/cart/0")
	assert.Equal(t, []string{"c:1"}, p.ids(t))
	assert.Equal(t, 1, p.said(listGone))

	// For ten minutes nothing can be had.
	server.status(http.StatusServiceUnavailable)
	for range 20 {
		assert.Equal(t, []string{"c:1"}, p.ids(t))
	}
	assert.Equal(t, 1, p.said(sourceLost), "it is said once")
	assert.Equal(t, 2, p.failingLists())
	server.answer.Store(nil)
	assert.Equal(t, []string{"c:1"}, p.ids(t))
	assert.Equal(t, 1, p.said(sourceBack))
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
	said := p.logs.FilterMessage(sourceLost).All()
	assert.Contains(t, said[len(said)-1].ContextMap()["error"], `more than 1000 jobs: choose one by "job"`)
}

func TestDNS(t *testing.T) {
	names := resolve(t, map[string][]string{"cart.test.": {"127.0.0.7", "127.0.0.5"}})
	p := pollerOf(&dnsSource{names: []string{"cart.test."}, of: recordA, port: 6060})
	assert.Equal(t, []string{"127.0.0.5:6060", "127.0.0.7:6060"}, p.ids(t))
	names.set("cart.test.", "127.0.0.7", "127.0.0.5")
	_, changed := p.poll(t.Context())
	assert.False(t, changed, "another order is no change")

	// A name that flips to link-local addresses is not believed.
	names.set("cart.test.", "169.254.169.254", "127.0.0.8")
	assert.Equal(t, []string{"127.0.0.5:6060", "127.0.0.7:6060"}, p.ids(t))
	require.Equal(t, 1, p.said(listLost))
	assert.Contains(t, p.logs.FilterMessage(listLost).All()[0].ContextMap()["error"], "169.254.169.254 is the link-local address")
	allowed := pollerOf(&dnsSource{names: []string{"cart.test."}, of: recordA, port: 6060, reach: reach{linkLocal: []string{"169.254.169.254"}}})
	assert.Equal(t, []string{"127.0.0.8:6060", "169.254.169.254:6060"}, allowed.ids(t))

	names.fail.Store(true)
	assert.Equal(t, []string{"127.0.0.5:6060", "127.0.0.7:6060"}, p.ids(t), "a name server that fails")
	names.fail.Store(false)
	names.set("cart.test.")
	assert.Empty(t, p.ids(t), "a name without records")

	v6 := pollerOf(&dnsSource{names: []string{"six.test."}, of: recordAAAA, port: 6060})
	names.set("six.test.", "fd00::5")
	assert.Equal(t, []string{"[fd00::5]:6060"}, v6.ids(t))
	names.set("six.test.", "fe80::1")
	assert.Equal(t, []string{"[fd00::5]:6060"}, v6.ids(t))

	srv := pollerOf(&dnsSource{names: []string{"_pprof._tcp.test."}, of: recordSRV})
	names.setService("_pprof._tcp.test.", 6061, 6060)
	assert.Equal(t, []string{"p6060.test:6060", "p6061.test:6061"}, srv.ids(t))
	assert.Zero(t, srv.failingLists())
}

package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nodeAgentOverrides lets the agent of deploy/kubernetes run outside of a cluster, detect leaks itself,
// and write to a file instead of sending to detectors.
const nodeAgentOverrides = `
extensions:
  k8s_observer: {auth_type: none}
  health_check: {endpoint: "127.0.0.1:0"}
receivers:
  receiver_creator:
    receivers:
      goroutine:
        config: {collection_interval: 1s, aged_after: 5s}
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http: {endpoint: "127.0.0.1:0"}
processors:
  batch: {timeout: 200ms}
  leak_detect: {min_duration: 15s, max_lifetime: 1m}
exporters:
  file:
    path: ${env:OUTPUT}
    flush_interval: 100ms
service:
  pipelines:
    metrics: {processors: [memory_limiter, transform/cluster, leak_detect, batch], exporters: [file]}
    logs: {exporters: [file]}
  telemetry:
    metrics: {level: none}
`

// TestAgentFollowsThePodsOfItsNode runs the agent of deploy/kubernetes against an API server with pods
// that are added, moved and deleted. Each pod is a process that leaks.
func TestAgentFollowsThePodsOfItsNode(t *testing.T) {
	t.Parallel()
	api, program := newPodAPI(t), buildExample(t, "leaky")
	first := startPod(t, program, "cart-a", "127.0.1.1")
	api.put(first.name, "node-1", first.address)
	api.put("cart-b", "node-2", startPod(t, program, "cart-b", "127.0.1.2").address)

	folder := t.TempDir()
	report, overrides := newPodReport(filepath.Join(folder, "out.json")), filepath.Join(folder, "overrides.yaml")
	require.NoError(t, os.WriteFile(overrides, []byte(nodeAgentOverrides), 0o600))
	host, port, err := net.SplitHostPort(api.server.Listener.Addr().String())
	require.NoError(t, err)
	run(t, []string{
		"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port,
		"K8S_NODE_NAME=node-1", "K8S_CLUSTER_NAME=test", "DETECTORS=[127.0.0.1:1]", "OUTPUT=" + report.path,
	}, collector, "--config", filepath.Join("..", "deploy", "kubernetes", "base", "agent.collector.yaml"), "--config", overrides)

	await(t, time.Minute, "the pod of the node is scraped", report.scrapedSince(t, first))
	added := startPod(t, program, "cart-c", "127.0.1.3")
	api.put(added.name, "node-1", added.address)
	await(t, time.Minute, "an added pod is scraped", report.scrapedSince(t, added))
	moved := startPod(t, program, first.name, "127.0.1.4")
	first.stop()
	api.put(moved.name, "node-1", moved.address)
	await(t, time.Minute, "a moved pod is scraped at its new address", report.scrapedSince(t, moved))
	await(t, 100*time.Second, "their leaks are flagged", func() bool { return report.hasFlagged(t, "cart-a", "cart-c") })
	api.remove(added.name)
	await(t, time.Minute, "a deleted pod and the old address of a moved pod are no longer scraped", func() bool {
		report.update(t)
		now := report.scraped[podInstance{moved.name, moved.address}]
		for _, pod := range []leakyPod{first, added} {
			if now.Sub(report.scraped[podInstance{pod.name, pod.address}]) < 5*time.Second {
				return false
			}
		}
		return true
	})
	report.checkHealthy(t)
	for scraped := range report.scraped {
		assert.NotEqual(t, "cart-b", scraped.pod, "it is on another node")
	}
	for _, request := range api.requests() {
		assert.Equal(t, "GET /api/v1/pods spec.nodeName=node-1", request, "the only request that agents are permitted")
	}
	assert.Equal(t, "test", report.clusters["cart-a"])
}

// podAPI is an API server that serves pods: lists and watches, with a field selector for the node.
type podAPI struct {
	server *httptest.Server

	mu       sync.Mutex
	version  int
	pods     map[string]map[string]any
	watchers map[chan podEvent]string // the node that each watches
	received []string                 // requests
}

// podEvent is a change of a pod in the format of a watch.
type podEvent struct {
	Type   string         `json:"type"`
	Object map[string]any `json:"object"`
}

func newPodAPI(t *testing.T) *podAPI {
	t.Helper()
	api := &podAPI{pods: make(map[string]map[string]any), watchers: make(map[chan podEvent]string)}
	api.server = httptest.NewTLSServer(api)
	t.Cleanup(func() {
		api.server.CloseClientConnections()
		api.server.Close()
	})
	return api
}

func (a *podAPI) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.received...)
}

// put adds a pod, or moves it, to a node and an address whose port is in the annotation.
func (a *podAPI) put(name, node, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	host, port, _ := net.SplitHostPort(address)
	event := "ADDED"
	if a.pods[name] != nil {
		event = "MODIFIED"
	}
	a.version++
	a.pods[name] = map[string]any{
		"kind": "Pod", "apiVersion": "v1",
		"metadata": map[string]any{
			"name": name, "namespace": "shop", "uid": name, "resourceVersion": strconv.Itoa(a.version),
			"labels":      map[string]any{"app.kubernetes.io/name": "cart"},
			"annotations": map[string]any{"otel-goroutine/pprof-port": port},
		},
		"spec":   map[string]any{"nodeName": node},
		"status": map[string]any{"phase": "Running", "podIP": host},
	}
	a.notify(event, a.pods[name])
}

func (a *podAPI) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	a.notify("DELETED", a.pods[name])
	delete(a.pods, name)
}

// notify sends an event to the watchers of the pod's node. Their buffers are larger than the number of
// events in the test.
func (a *podAPI) notify(event string, pod map[string]any) {
	for watcher, node := range a.watchers {
		if nodeOf(pod) == node {
			watcher <- podEvent{event, pod}
		}
	}
}

func nodeOf(pod map[string]any) string { return pod["spec"].(map[string]any)["nodeName"].(string) }

func (a *podAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	selector := query.Get("fieldSelector")
	_, node, _ := strings.Cut(selector, "spec.nodeName=")
	events := make(chan podEvent, 100)
	a.mu.Lock()
	a.received = append(a.received, r.Method+" "+r.URL.Path+" "+selector)
	items := []any{}
	for _, pod := range a.pods {
		if nodeOf(pod) == node {
			items = append(items, pod)
		}
	}
	version := strconv.Itoa(a.version)
	watches := query.Get("watch") != ""
	if watches {
		a.watchers[events] = node
	}
	a.mu.Unlock()

	w.Header().Set("Content-Type", "application/json")
	answer := json.NewEncoder(w)
	if !watches {
		_ = answer.Encode(map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": version}, "items": items})
		return
	}
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, events)
	}()
	if query.Get("sendInitialEvents") == "true" {
		for _, pod := range items {
			_ = answer.Encode(map[string]any{"type": "ADDED", "object": pod})
		}
		_ = answer.Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{
			"kind": "Pod", "apiVersion": "v1", "metadata": map[string]any{
				"resourceVersion": version, "annotations": map[string]any{"k8s.io/initial-events-end": "true"},
			},
		}})
	}
	for {
		_ = http.NewResponseController(w).Flush()
		select {
		case event := <-events:
			_ = answer.Encode(event)
		case <-r.Context().Done():
			return
		}
	}
}

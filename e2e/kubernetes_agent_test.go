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
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// overNodeAgent has the agent of deploy/kubernetes run outside of a cluster, and write to a
// file what it would send to the detectors.
const overNodeAgent = `
extensions:
  k8s_observer: {auth_type: none}
  health_check: {endpoint: "127.0.0.1:0"}
receivers:
  receiver_creator:
    receivers:
      goroutine:
        config: {collection_interval: 200ms}
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http: {endpoint: "127.0.0.1:0"}
processors:
  batch: {timeout: 200ms}
exporters:
  file:
    path: ${env:OUTPUT}
    flush_interval: 100ms
service:
  pipelines:
    metrics: {exporters: [file]}
    logs: {exporters: [file]}
  telemetry:
    metrics: {level: none}
`

// TestAgentFollowsThePodsOfItsNode runs the agent of deploy/kubernetes against an API server
// on whose nodes pods come, move and go.
func TestAgentFollowsThePodsOfItsNode(t *testing.T) {
	t.Parallel()
	api := newPodAPI(t)
	at := func(address string) string { return net.JoinHostPort(address, pprofPort(t, address)) }
	first, other, second, third := at("127.0.1.1"), at("127.0.1.2"), at("127.0.1.3"), at("127.0.1.4")
	api.put("cart-a", "node-1", first)
	api.put("cart-b", "node-2", other)

	folder := t.TempDir()
	output, over := filepath.Join(folder, "out.json"), filepath.Join(folder, "over.yaml")
	require.NoError(t, os.WriteFile(over, []byte(overNodeAgent), 0o600))
	host, port, err := net.SplitHostPort(api.server.Listener.Addr().String())
	require.NoError(t, err)
	run(t, []string{
		"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port,
		"K8S_NODE_NAME=node-1", "K8S_CLUSTER_NAME=test", "DETECTORS=[127.0.0.1:1]", "OUTPUT=" + output,
	}, collector, "--config", filepath.Join("..", "deploy", "kubernetes", "base", "agent.collector.yaml"), "--config", over)

	scraped := func(pod, instance string) func() bool {
		since := time.Now()
		return func() bool { return lastScrapes(t, output)[podInstance{pod, instance}].After(since) }
	}
	await(t, time.Minute, "the pod of the node is scraped", scraped("cart-a", first))
	api.put("cart-c", "node-1", second)
	await(t, time.Minute, "a pod that comes is scraped", scraped("cart-c", second))
	api.put("cart-a", "node-1", third)
	await(t, time.Minute, "a pod that moves is scraped where it is", scraped("cart-a", third))
	api.remove("cart-c")
	await(t, time.Minute, "a pod that goes is not scraped, nor one that has moved where it was", func() bool {
		last := lastScrapes(t, output)
		now := last[podInstance{"cart-a", third}]
		return now.Sub(last[podInstance{"cart-c", second}]) > 2*time.Second && now.Sub(last[podInstance{"cart-a", first}]) > 2*time.Second
	})
	for scraped := range lastScrapes(t, output) {
		assert.NotEqual(t, "cart-b", scraped.pod, "it is on another node")
	}
	for _, asked := range api.requests() {
		assert.Equal(t, "GET /api/v1/pods spec.nodeName=node-1", asked, "what the agents have a right to")
	}
	assert.Equal(t, "test", scrapedUp(t, output, "k8s.pod.name")["cart-a"]["k8s.cluster.name"])
}

// podInstance is a pod at one address.
type podInstance struct{ pod, instance string }

// lastScrapes returns when each was scraped last with success.
func lastScrapes(t *testing.T, path string) map[podInstance]time.Time {
	t.Helper()
	last := make(map[podInstance]time.Time)
	data, err := os.ReadFile(path)
	if err != nil {
		return last // it is not there yet
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is not yet whole
		}
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics([]byte(line))
		require.NoError(t, err)
		for _, resource := range md.ResourceMetrics().All() {
			if at := upAt(resource); at != 0 {
				attributes := resource.Resource().Attributes()
				last[podInstance{text(attributes, "k8s.pod.name"), text(attributes, "service.instance.id")}] = at.AsTime()
			}
		}
	}
	return last
}

// upAt returns when a resource was scraped with success, if it was.
func upAt(resource pmetric.ResourceMetrics) (at pcommon.Timestamp) {
	for _, scope := range resource.ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			if m.Name() != "goroutine.scrape.up" {
				continue
			}
			for _, p := range m.Gauge().DataPoints().All() {
				if p.IntValue() == 1 {
					at = max(at, p.Timestamp())
				}
			}
		}
	}
	return at
}

// podAPI is the part of an API server that serves pods: lists and watches, with the filter by
// node.
type podAPI struct {
	server *httptest.Server

	mu       sync.Mutex
	version  int
	pods     map[string]map[string]any
	watchers map[chan podEvent]string // to their node
	asked    []string
}

// podEvent is a change of a pod, as a watch tells it.
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
	return append([]string(nil), a.asked...)
}

// put has a pod be on a node, at an address whose port is annotated.
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
	a.tell(event, a.pods[name])
}

func (a *podAPI) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	a.tell("DELETED", a.pods[name])
	delete(a.pods, name)
}

// tell tells who watches the node of a pod. No watcher falls behind by as many as it may.
func (a *podAPI) tell(event string, pod map[string]any) {
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
	a.asked = append(a.asked, r.Method+" "+r.URL.Path+" "+selector)
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

package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// fileOverrides writes to a file instead of a backend, and disables the collector's telemetry port.
const fileOverrides = `
exporters:
  file:
    path: ${env:OUTPUT}
    flush_interval: 100ms
service:
  pipelines:
    metrics:
      exporters: [file]
  telemetry:
    metrics:
      level: none
`

// TestKubernetesExampleScrapesItsPods runs examples/collector/kubernetes.yaml with its observer against
// an API server with an IPv4 pod, an IPv6 pod and a pod without the annotation.
func TestKubernetesExampleScrapesItsPods(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pods := []any{
		podAt(t, "cart-v4", "127.0.0.1", pprofPort(t, "127.0.0.1")),
		podAt(t, "unannotated", "127.0.0.1", ""),
	}
	want := []string{"cart-v4"}
	if hasIPv6() {
		pods = append(pods, podAt(t, "cart-v6", "::1", pprofPort(t, "::1")))
		want = append(want, "cart-v6")
	} else {
		t.Log("This machine has no ::1: no pod has an IPv6 address")
	}
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { servePods(w, r, pods) }))
	t.Cleanup(api.Close)
	host, port, err := net.SplitHostPort(api.Listener.Addr().String())
	require.NoError(t, err)

	output, overrides := filepath.Join(folder, "out.json"), filepath.Join(folder, "overrides.yaml")
	require.NoError(t, os.WriteFile(overrides, []byte(fileOverrides), 0o600))
	stop := run(t, []string{
		"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port, "K8S_AUTH_TYPE=none",
		"STATE_DIR=" + filepath.Join(folder, "state"), "OUTPUT=" + output,
	}, collector, "--config", filepath.Join("..", "examples", "collector", "kubernetes.yaml"), "--config", overrides)
	var found map[string]map[string]string
	await(t, time.Minute, "every annotated pod is scraped", func() bool {
		found = scrapedUp(t, output, "k8s.pod.name")
		return len(found) >= len(want)
	})
	stop()
	require.Len(t, found, len(want))
	for _, pod := range want {
		assert.Equal(t, "cart", found[pod]["service.name"], pod)
		assert.Equal(t, "shop", found[pod]["k8s.namespace.name"], pod)
		assert.NotEmpty(t, found[pod]["service.instance.id"], pod)
	}
}

const hostObserverConfig = `
extensions:
  host_observer:
    refresh_interval: 1s
receivers:
  receiver_creator:
    watch_observers: [host_observer]
    receivers:
      goroutine:
        rule: type == "hostport" && (port == ${env:PORT_V4} || port == ${env:PORT_V6})
        config:
          service_name: cart
service:
  extensions: [host_observer]
  pipelines:
    metrics:
      receivers: [receiver_creator]
`

// TestReceiverCreatorWithHostObserver checks that receiver_creator starts receivers for the endpoints
// that host_observer finds.
func TestReceiverCreatorWithHostObserver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	v4 := pprofPort(t, "127.0.0.1")
	want, env := []string{"127.0.0.1:" + v4}, []string{"PORT_V4=" + v4, "PORT_V6=0", "OUTPUT=" + filepath.Join(folder, "out.json")}
	if hasIPv6() {
		v6 := pprofPort(t, "::1")
		want, env[1] = append(want, "[::1]:"+v6), "PORT_V6="+v6
	} else {
		t.Log("This machine has no ::1: no endpoint has an IPv6 address")
	}
	config := filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(config, []byte(hostObserverConfig), 0o600))
	overrides := filepath.Join(folder, "overrides.yaml")
	require.NoError(t, os.WriteFile(overrides, []byte(fileOverrides), 0o600))
	run(t, env, collector, "--config", config, "--config", overrides)
	await(t, time.Minute, "every address is scraped", func() bool {
		found := scrapedUp(t, filepath.Join(folder, "out.json"), "service.instance.id")
		for _, instance := range want {
			if found[instance] == nil {
				return false
			}
		}
		return true
	})
}

func hasIPv6() bool {
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

// pprofPort serves the profiles of the test process at an address, and returns the port.
func pprofPort(t *testing.T, address string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(mux)
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

// podAt returns a running pod in the format of the API. It has the annotation if port is not empty.
func podAt(t *testing.T, name, address, port string) any {
	t.Helper()
	annotations := map[string]any{}
	if port != "" {
		annotations["otel-goroutine/pprof-port"] = port
	}
	return map[string]any{
		"kind": "Pod", "apiVersion": "v1",
		"metadata": map[string]any{
			"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1",
			"labels":      map[string]any{"app.kubernetes.io/name": "cart"},
			"annotations": annotations,
		},
		"status": map[string]any{"phase": "Running", "podIP": address},
	}
}

// servePods answers requests to list or watch pods as the API server does.
func servePods(w http.ResponseWriter, r *http.Request, pods []any) {
	if r.URL.Path != "/api/v1/pods" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer := json.NewEncoder(w)
	query := r.URL.Query()
	if query.Get("watch") == "" {
		_ = answer.Encode(map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "1"}, "items": pods})
		return
	}
	if query.Get("sendInitialEvents") == "true" {
		for _, pod := range pods {
			_ = answer.Encode(map[string]any{"type": "ADDED", "object": pod})
		}
		_ = answer.Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{
			"kind": "Pod", "apiVersion": "v1", "metadata": map[string]any{
				"resourceVersion": "1", "annotations": map[string]any{"k8s.io/initial-events-end": "true"},
			},
		}})
	}
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done() // there are no changes
}

// scrapedUp returns the attributes of each resource that was scraped successfully, by the value of the
// attribute key.
func scrapedUp(t *testing.T, path, key string) map[string]map[string]string {
	t.Helper()
	found := make(map[string]map[string]string)
	data, err := os.ReadFile(path)
	if err != nil {
		return found // not written yet
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasSuffix(line, "\n") {
			break // incomplete
		}
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics([]byte(line))
		require.NoError(t, err)
		for _, resource := range md.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					if m.Name() == "goroutine.scrape.up" && m.Gauge().DataPoints().At(0).IntValue() == 1 {
						attributes := make(map[string]string)
						for name, value := range resource.Resource().Attributes().All() {
							attributes[name] = value.AsString()
						}
						found[attributes[key]] = attributes
					}
				}
			}
		}
	}
	return found
}

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// discoveryOverrides overrides examples/collector/discovery.yaml: intervals are shorter, and output goes to
// a file. The allocator is polled at the default interval.
const discoveryOverrides = `
receivers:
  goroutine:
    collection_interval: 1s
    aged_after: 5s
    target_allocator: {headers: {Collector: "${env:POD_NAME}"}}
processors:
  leak_detect: {min_duration: 15s, max_lifetime: 1m}
  batch: {timeout: 200ms}
exporters:
  file:
    path: ${env:OUTPUT}
    flush_interval: 100ms
service:
  pipelines:
    metrics: {exporters: [file]}
  telemetry:
    metrics: {level: none}
`

const (
	shards = 3
	// coveredWithin is the longest time until other shards scrape the targets of a lost shard,
	// inEffectWithin the longest time until any change of targets takes effect, at the default interval.
	coveredWithin  = 60 * time.Second
	inEffectWithin = 35 * time.Second
)

// TestAllocatorDividesPodsAmongCollectors runs three collectors with examples/collector/discovery.yaml.
// The allocator becomes ready after they have started, and assigns two pods to each. Then one collector
// is killed and its pods are reassigned, while another collector loses its pods. Finally the allocator
// fails.
func TestAllocatorDividesPodsAmongCollectors(t *testing.T) {
	t.Parallel()
	program, allocator := buildExample(t, "leaky"), newAllocatorAPI(t)
	var collectors []shard
	pods := make([][]leakyPod, shards)
	config := withSources(t, "target_allocator")
	for i := range shards {
		for k := range 2 {
			pod := startPod(t, program, fmt.Sprintf("cart-%d", 2*i+k), fmt.Sprintf("127.0.2.%d", 2*i+k+1))
			pods[i] = append(pods[i], pod)
		}
		collectors = append(collectors, startShard(t, i, config, allocator.server.URL))
		allocator.assign(collectors[i].name, pods[i]...)
	}
	await(t, 30*time.Second, "the allocator has refused every collector", func() bool { return allocator.refusals() == shards })
	allocator.ready(true)
	began := time.Now()
	for i, c := range collectors {
		c.awaitScraped(t, pods[i]...)
	}
	found := time.Since(began)
	t.Logf("pods were scraped %.1f s after the allocator was ready", found.Seconds())
	assert.Less(t, found, 20*time.Second, "a source that is not ready is retried sooner than every 30 s")
	for i, c := range collectors {
		await(t, 100*time.Second, "leaks of all pods are flagged", func() bool { return c.report.hasFlagged(t, pods[i][0].name, pods[i][1].name) })
	}

	lost, heir, emptied := collectors[2], collectors[0], collectors[1]
	require.NoError(t, lost.process.Kill())
	lost.stop()
	began = time.Now()
	allocator.assign(lost.name)
	allocator.assign(heir.name, append(pods[0], pods[2]...)...)
	allocator.assign(emptied.name)
	heir.awaitScraped(t, pods[2]...)
	covered := time.Since(began)
	t.Logf("the pods of a lost collector were scraped again after %.1f s", covered.Seconds())
	assert.LessOrEqual(t, covered, coveredWithin)
	assert.LessOrEqual(t, covered, inEffectWithin, "a change of targets")
	await(t, time.Minute, "the pods of an emptied job are no longer scraped", func() bool {
		heir.report.update(t)
		emptied.report.update(t)
		return heir.lastScrape(pods[0]...).Sub(emptied.lastScrape(pods[1]...)) > 5*time.Second
	})
	assert.LessOrEqual(t, emptied.lastScrape(pods[1]...).Sub(began), inEffectWithin)

	allocator.ready(false)
	await(t, time.Minute, "the allocator has refused both collectors", func() bool { return allocator.refusals() == shards-1 })
	heir.awaitScraped(t, append(pods[0], pods[2]...)...)
	await(t, 100*time.Second, "leaks of the reassigned pods are flagged", func() bool {
		return heir.report.hasFlagged(t, pods[2][0].name, pods[2][1].name)
	})
	for _, c := range collectors {
		c.report.checkHealthy(t)
	}
}

// shard is a collector that scrapes the targets that the allocator assigns to it.
type shard struct {
	name    string
	report  *podReport
	process *os.Process
	stop    func()
}

func startShard(t *testing.T, i int, config, allocator string) shard {
	t.Helper()
	folder, name := t.TempDir(), fmt.Sprintf("collector-%d", i)
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	report := newPodReport(filepath.Join(folder, "out.json"))
	process, stop := launch(t, []string{
		"POD_NAME=" + name, "ALLOCATOR=" + allocator, "TARGETS=" + filepath.Join(folder, "*.none.json"),
		"STATE_DIR=" + filepath.Join(folder, "state"), "OUTPUT=" + report.path,
	}, lean, "--config", write("discovery.yaml", config), "--config", write("overrides.yaml", discoveryOverrides))
	return shard{name, report, process, stop}
}

// awaitScraped waits until each pod has been scraped after this call.
func (s shard) awaitScraped(t *testing.T, pods ...leakyPod) {
	t.Helper()
	var since []func() bool
	for _, pod := range pods {
		since = append(since, s.report.scrapedSince(t, pod))
	}
	for i, pod := range pods {
		await(t, 90*time.Second, pod.name+" is scraped by "+s.name, since[i])
	}
}

// lastScrape returns the time of the last scrape of any of the pods, as of the last update of the report.
func (s shard) lastScrape(pods ...leakyPod) (last time.Time) {
	for _, pod := range pods {
		if at := s.report.scraped[podInstance{pod.name, pod.address}]; at.After(last) {
			last = at
		}
	}
	return last
}

// allocatorAPI serves the API of a Target Allocator with one job.
type allocatorAPI struct {
	server *httptest.Server

	mu       sync.Mutex
	isReady  bool
	refused  map[string]bool // collectors that got 503 since the last call of ready
	assigned map[string][]leakyPod
}

func newAllocatorAPI(t *testing.T) *allocatorAPI {
	t.Helper()
	a := &allocatorAPI{refused: make(map[string]bool), assigned: make(map[string][]leakyPod)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /jobs", a.whenReady(func(*http.Request) any {
		return map[string]any{allocatedJob: map[string]string{"_link": "/jobs/" + url.QueryEscape(allocatedJob) + "/targets"}}
	}))
	mux.HandleFunc("GET /jobs/{job}/targets", a.whenReady(a.targets))
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a
}

// allocatedJob has the form of the Operator's names for jobs of a PodMonitor.
const allocatedJob = "podMonitor/shop/cart/0"

// whenReady returns a handler that encodes the answer as JSON, or responds 503 while the allocator is
// not ready.
func (a *allocatorAPI) whenReady(answer func(*http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.isReady {
			a.refused[r.Header.Get("Collector")] = true
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer(r))
	}
}

// targets returns the targets of the collector in the request, with the labels of Prometheus'
// Kubernetes discovery.
func (a *allocatorAPI) targets(r *http.Request) any {
	groups := []any{}
	for _, pod := range a.assigned[r.URL.Query().Get("collector_id")] {
		groups = append(groups, map[string]any{"targets": []string{pod.address}, "labels": map[string]string{
			"__meta_kubernetes_namespace": "shop", "__meta_kubernetes_pod_name": pod.name, "__meta_kubernetes_pod_uid": pod.address,
			"__meta_kubernetes_pod_label_app_kubernetes_io_name": "cart",
		}})
	}
	return groups
}

// assign replaces the pods of a collector.
func (a *allocatorAPI) assign(collector string, pods ...leakyPod) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.assigned[collector] = pods
}

// ready sets whether the allocator is ready.
func (a *allocatorAPI) ready(isReady bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.isReady = isReady
	clear(a.refused)
}

// refusals returns the number of collectors that got 503 since the last call of ready.
func (a *allocatorAPI) refusals() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.refused)
}

package goroutinereceiver

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadatatest"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// testPollInterval is the interval of sources in these tests.
const testPollInterval = 20 * time.Millisecond

// addFile writes a list and adds it to cfg as a source.
func addFile(t *testing.T, cfg *Config, text string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "targets.json")
	writeOldFile(t, name, text)
	cfg.FileSD = append(cfg.FileSD, FileSDConfig{Files: []string{name}, Interval: testPollInterval})
	return name
}

// groupJSON returns the group of a target whose pprof index has this path.
func groupJSON(hostPort, path, labels string) string {
	return fmt.Sprintf(`{"targets": [%q], "labels": {"__metrics_path__": %q%s}}`, hostPort, path, labels)
}

// pathsMux serves net/http/pprof of this process below any path.
func pathsMux() http.Handler {
	mux := pprofMux()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, path, _ := strings.Cut(r.URL.Path, "/debug/pprof")
		r.URL.Path = "/debug/pprof" + path
		mux.ServeHTTP(w, r)
	})
}

// TestCensusOutlivesChangesOfTheList changes the list around a target, truncates it, removes the
// target, adds it again, and changes its labels.
func TestCensusOutlivesChangesOfTheList(t *testing.T) {
	never := make(chan struct{})
	var planted sync.WaitGroup
	for range 5 {
		planted.Go(func() { waitForNothing(never) })
	}
	defer planted.Wait()
	defer close(never)
	hostPort := serve(t, pathsMux())
	stays := func(labels string) string { return groupJSON(hostPort, "/stays/debug/pprof", labels) }
	other := func(name string) string { return groupJSON(hostPort, "/"+name+"/debug/pprof", "") }
	cfg := testConfig()
	cfg.ServiceName = "by the receiver"
	cfg.Capture = CaptureTrace // no fallback if another target traces the process
	file := addFile(t, cfg, "["+stays("")+"]")
	r := startReceiver(t, cfg)
	id := hostPort + "/stays/debug/pprof"
	aged := func(team string) scraped {
		return r.until(t, func(s scraped) bool {
			return s.resource("service.instance.id") == id && s.resource("team") == team &&
				s.sum("goroutine.stack.aged.count", "code.function.name", "github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver.waitForNothing") == 5
		})
	}
	startOf := func(s scraped) pcommon.Timestamp { return s.points("goroutine.creations")[0].StartTimestamp() }
	first := aged("")
	assert.Equal(t, "by the receiver", first.resource("service.name"))

	writeOldFile(t, file, "["+other("a")+","+stays(`, "team": "shop", "job": "cart"`)+"]")
	named := aged("shop")
	assert.Equal(t, startOf(first), startOf(named))
	assert.Equal(t, "cart", named.resource("service.name"))
	r.next(t, hostPort+"/a/debug/pprof")

	writeOldFile(t, file, "["+other("b")+","+stays("")[:20]) // truncated
	r.next(t, hostPort+"/a/debug/pprof")
	assert.Equal(t, startOf(first), startOf(aged("shop")))

	writeOldFile(t, file, "["+other("c")+"]") // it is lost
	r.next(t, hostPort+"/c/debug/pprof")
	require.Eventually(t, func() bool { return len(r.activeIDs()) == 1 }, 10*time.Second, testPollInterval)
	writeOldFile(t, file, "["+other("c")+","+stays("")+"]")
	assert.Equal(t, startOf(first), startOf(aged("")))
	assert.ElementsMatch(t, []string{hostPort + "/c/debug/pprof", id}, r.activeIDs())

	ofPod := func(uid string) scraped {
		return r.until(t, func(s scraped) bool {
			return s.resource("k8s.pod.uid") == uid && s.resource("service.instance.id") == id && len(s.points("goroutine.creations")) == 1
		})
	}
	writeOldFile(t, file, "["+other("c")+","+stays(`, "__meta_kubernetes_pod_uid": "1"`)+"]")
	assert.Equal(t, startOf(first), startOf(ofPod("1")))
	writeOldFile(t, file, "["+other("c")+","+stays(`, "__meta_kubernetes_pod_uid": "2"`)+"]")
	assert.Less(t, startOf(first), startOf(ofPod("2")), "another pod")
}

func (r *goroutineReceiver) activeIDs() []string {
	r.discovery.mu.Lock()
	defer r.discovery.mu.Unlock()
	return slices.Collect(maps.Keys(r.discovery.fleet.active))
}

// TestOneTargetInFourSources checks that a target in several sources is scraped once, with the
// merged attributes.
func TestOneTargetInFourSources(t *testing.T) {
	hostPort := serve(t, pprofMux())
	_, port, err := net.SplitHostPort(hostPort)
	require.NoError(t, err)
	names := startDNSStub(t, map[string][]string{"cart.test.": {"127.0.0.1"}})
	cfg := testConfig(targetAt(hostPort, func(c *TargetConfig) { c.Attributes = map[string]string{"team": "static"} }))
	addFile(t, cfg, `[{"targets": ["`+hostPort+`"], "labels": {"team": "file", "zone": "a", "__meta_kubernetes_pod_uid": "1"}}]`)
	cfg.HTTPSD = []HTTPSDConfig{{ClientConfig: defaultClientConfig(), Interval: testPollInterval}}
	cfg.HTTPSD[0].ClientConfig.Endpoint = "http://" + serve(t, respondAlways(http.StatusOK, nil, []byte(`[{"targets": ["`+hostPort+`", "`+hostPort+`"], "labels": {"job": "cart"}}]`)))
	cfg.DNS = []DNSConfig{{Names: []string{"cart.test."}, Type: recordA, Port: portOf(t, port), Interval: testPollInterval, Labels: map[string]string{"rack": "7"}}}
	cfg.TargetAllocator = TargetAllocatorConfig{ClientConfig: defaultClientConfig(), Interval: testPollInterval, CollectorID: "detector-0"}
	cfg.TargetAllocator.ClientConfig.Endpoint = "http://" + serve(t, &allocator{listServer: &listServer{}, jobs: map[string]string{
		"cart": `[{"targets": ["` + hostPort + `"], "labels": {"__meta_kubernetes_namespace": "shop"}}]`,
	}})
	telemetry := componenttest.NewTelemetry()
	defer func() { require.NoError(t, telemetry.Shutdown(context.Background())) }()
	sink := new(consumertest.MetricsSink)
	r := startReceiverWithSink(t, cfg, receiver.Settings{ID: component.MustNewID("goroutine"), TelemetrySettings: telemetry.NewTelemetrySettings()}, sink)
	require.Eventually(t, func() bool {
		all := sink.AllMetrics()
		if len(all) == 0 {
			return false
		}
		s := scraped{all[len(all)-1]}
		return s.resource("zone") == "a" && s.resource("rack") == "7" && s.resource("k8s.namespace.name") == "shop" && s.resource("k8s.pod.uid") == "1" &&
			s.resource("team") == "static" && s.resource("service.name") == "cart"
	}, 10*time.Second, testPollInterval)
	assert.Equal(t, []string{hostPort}, r.activeIDs())

	self := attribute.String("receiver", "goroutine")
	point := func(source string, value int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(self, attribute.String("source", source)), Value: value}
	}
	metadatatest.AssertEqualReceiverGoroutineTargets(t, telemetry, []metricdata.DataPoint[int64]{{Attributes: attribute.NewSet(self), Value: 1}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualReceiverGoroutineDiscoveryTargets(t, telemetry, []metricdata.DataPoint[int64]{
		point("targets", 1), point("file_sd", 1), point("http_sd", 2), point("dns", 1), point("target_allocator", 1),
	}, metricdatatest.IgnoreTimestamp())

	names.fail.Store(true)
	require.Eventually(t, func() bool { return listsFailing(r.goroutineReceiver) == 1 }, 10*time.Second, testPollInterval)
	metadatatest.AssertEqualReceiverGoroutineDiscoveryFailing(t, telemetry, []metricdata.DataPoint[int64]{
		point("targets", 0), point("file_sd", 0), point("http_sd", 0), point("dns", 1), point("target_allocator", 0),
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualReceiverGoroutineDiscoveryFailures(t, telemetry, []metricdata.DataPoint[int64]{
		point("file_sd", 0), point("http_sd", 0), point("dns", 1), point("target_allocator", 0),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreValue())
}

func listsFailing(r *goroutineReceiver) (lists int) {
	r.discovery.mu.Lock()
	defer r.discovery.mu.Unlock()
	for _, l := range r.discovery.lists {
		lists += l.failing
	}
	return lists
}

func portOf(t *testing.T, port string) int {
	t.Helper()
	n, err := net.LookupPort("tcp", port)
	require.NoError(t, err)
	return n
}

// startReceiverWithSink starts a receiver whose next consumer is sink.
func startReceiverWithSink(t *testing.T, cfg *Config, settings receiver.Settings, sink *consumertest.MetricsSink) *testReceiver {
	t.Helper()
	r, err := newReceiver(cfg, newPool(), settings)
	require.NoError(t, err)
	r.next = sink
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	return &testReceiver{goroutineReceiver: r}
}

// TestThousandsReplaced replaces 5,000 targets at once while they are scraped. One stays.
func TestThousandsReplaced(t *testing.T) {
	const many = 5000
	var asked [2]atomic.Int64
	profile := profileOf(t, "goroutine")
	hostPort := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path[1] {
		case '0':
			asked[0].Add(1)
		case '1':
			asked[1].Add(1)
		}
		_, _ = w.Write(profile)
	}))
	list := func(set int) string {
		groups := []string{groupJSON(hostPort, "/stays", "")}
		for i := range many {
			groups = append(groups, groupJSON(hostPort, fmt.Sprintf("/%d-%d", set, i), ""))
		}
		return "[" + strings.Join(groups, ",") + "]"
	}
	cfg := testConfig()
	cfg.Capture = CaptureProfile
	cfg.CollectionInterval = time.Minute
	file := addFile(t, cfg, list(0))
	cfg.FileSD[0].Interval = time.Second
	core, logs := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	sink := new(consumertest.MetricsSink)
	r := startReceiverWithSink(t, cfg, settings, sink)
	require.Eventually(t, func() bool { return asked[0].Load() > 100 }, time.Minute, testPollInterval)
	stays := func() *member {
		r.discovery.mu.Lock()
		defer r.discovery.mu.Unlock()
		return r.discovery.fleet.active[hostPort+"/stays"]
	}
	before := stays()

	writeOldFile(t, file, list(1))
	changed := func() []observer.LoggedEntry { return logs.FilterMessage("Targets changed").All() }
	require.Eventually(t, func() bool { return len(changed()) == 2 }, time.Minute, testPollInterval)
	assert.Equal(t, map[string]any{"added": int64(many), "removed": int64(many), "altered": int64(0), "targets": int64(many + 1)}, changed()[1].ContextMap())
	assert.Same(t, before.target, stays().target)
	require.Eventually(t, func() bool { return asked[1].Load() > 100 }, time.Minute, testPollInterval)
	old := asked[0].Load()
	require.Eventually(t, func() bool { return asked[1].Load() > 200 }, time.Minute, testPollInterval)
	assert.Equal(t, old, asked[0].Load(), "removed targets are still scraped")
	for id := range r.discovery.fleet.parked {
		assert.True(t, strings.HasPrefix(id, hostPort+"/0-"))
	}
}

// TestShardsDivideTargets checks that each target, static or discovered, is scraped by one of three
// receivers.
func TestShardsDivideTargets(t *testing.T) {
	var addresses, scraped []string
	for i := range 60 {
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", 60_000+i))
	}
	for index := range 3 {
		cfg := testConfig()
		for _, address := range addresses[:30] {
			cfg.Targets = append(cfg.Targets, targetAt(address))
		}
		cfg.CollectionInterval = time.Hour
		cfg.Shard = ShardConfig{Index: ShardIndex(index), Count: 3}
		addFile(t, cfg, listOf(addresses[20:]...))
		r := startReceiverWithSink(t, cfg, receivertest.NewNopSettings(metadata.Type), new(consumertest.MetricsSink))
		require.Eventually(t, func() bool {
			r.discovery.mu.Lock()
			defer r.discovery.mu.Unlock()
			return len(r.discovery.lists[1].targets) == 40
		}, 10*time.Second, testPollInterval)
		assert.InDelta(t, 20, len(r.activeIDs()), 12)
		scraped = append(scraped, r.activeIDs()...)
	}
	assert.ElementsMatch(t, addresses, scraped)
}

// TestHungSource checks that a hung source delays neither the others nor Shutdown.
func TestHungSource(t *testing.T) {
	hung := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	cfg := testConfig()
	cfg.HTTPSD = []HTTPSDConfig{{ClientConfig: defaultClientConfig(), Interval: testPollInterval}}
	cfg.HTTPSD[0].ClientConfig.Endpoint = "http://" + hung
	addFile(t, cfg, listOf(serve(t, pprofMux())))
	r := startReceiver(t, cfg)
	assert.True(t, r.next(t).up())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	assert.NoError(t, r.Shutdown(ctx))
}

// panickingSource is a source whose parser panics.
type panickingSource struct{}

func (panickingSource) kind() string { return "file_sd" }

func (panickingSource) documents(context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		yield(document{name: "list", format: func([]byte, targetlist.Labels) (targetlist.List, error) { panic("in a parser") }}, nil)
	}
}

func TestPanicInPoll(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	panics := 0
	d := discovery{logger: zap.New(core), panics: func(context.Context) { panics++ }}
	failures, changed := d.guardedPoll(t.Context(), newPoller(panickingSource{}, testPollInterval, nil, d.logger))
	assert.Equal(t, 1, failures)
	assert.False(t, changed)
	assert.Equal(t, 1, panics)
	assert.Equal(t, 1, logs.FilterMessage("Panic while polling for targets, please report it").Len())
}

// TestStartErrors checks that invalid client settings fail Start.
func TestStartErrors(t *testing.T) {
	absent := configoptional.Some(configauth.Config{AuthenticatorID: component.MustNewID("absent")})
	for name, change := range map[string]func(*Config){
		"auth of targets":          func(c *Config) { c.ClientConfig.Auth = absent; addFile(t, c, "[]") },
		"auth of http_sd":          func(c *Config) { c.HTTPSD = []HTTPSDConfig{{}}; c.HTTPSD[0].ClientConfig.Auth = absent },
		"auth of target_allocator": func(c *Config) { c.TargetAllocator.CollectorID = "a"; c.TargetAllocator.ClientConfig.Auth = absent },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			change(cfg)
			r, err := newReceiver(cfg, newPool(), receivertest.NewNopSettings(metadata.Type))
			require.NoError(t, err)
			require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "absent")
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

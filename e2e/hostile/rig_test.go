package hostile

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// server is a fault server in a process of its own, so that its memory is not attributed to the receiver.
type server struct{ plain, secure string }

func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	program := filepath.Join(t.TempDir(), "faultserver")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./faultserver").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(program, args...)
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = input.Close() // the server exits
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(output)
	s := &server{}
	for _, address := range []*string{&s.plain, &s.secure} {
		require.True(t, lines.Scan(), "the server prints its addresses")
		*address = lines.Text()
	}
	return s
}

// get returns the response of the server to a request of the test itself.
func (s *server) get(t *testing.T, path string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(s.plain + "/" + path)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

// warm makes the server prepare the response of a fault.
func (s *server) warm(t *testing.T, name string) {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if response, err := client.Get(s.plain + "/" + name + "~0/debug/pprof/goroutine"); err == nil {
		_ = response.Body.Close()
	}
}

// ended returns when the server finished its response to a request that the receiver made after begin.
func (s *server) ended(t *testing.T, begin time.Time) time.Time {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-again.C {
		ns, err := strconv.ParseInt(s.get(t, "ended"), 10, 64)
		require.NoError(t, err)
		if ended := time.Unix(0, ns); ended.After(begin) {
			return ended
		}
	}
	require.Fail(t, "the server still writes its response")
	return time.Time{}
}

// scrapes collects the metrics of a receiver by target.
type scrapes struct {
	mu   sync.Mutex
	all  map[string][]scrape
	news chan struct{}
}

// scrape has the metrics of one scrape.
type scrape struct {
	pmetric.Metrics
	at time.Time
}

func (*scrapes) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *scrapes) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	name, _ := md.ResourceMetrics().At(0).Resource().Attributes().Get("service.name")
	s.mu.Lock()
	s.all[name.Str()] = append(s.all[name.Str()], scrape{md, time.Now()})
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	return nil
}

func (s *scrapes) of(target string) []scrape {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[target]
}

// await waits until a target has been scraped n times.
func (s *scrapes) await(t *testing.T, target string, n int, timeout time.Duration) []scrape {
	t.Helper()
	deadline := time.After(timeout)
	for {
		if all := s.of(target); len(all) >= n {
			return all
		}
		select {
		case <-s.news:
		case <-deadline:
			require.Fail(t, "not scraped", "%s: %d times in %v, not %d", target, len(s.of(target)), timeout, n)
		}
	}
}

// running is a running receiver.
type running struct {
	receiver.Metrics
	*scrapes
	logs *observer.ObservedLogs
}

// target returns the configuration of a target with the given service.name.
func target(name, endpoint string, change ...func(*goroutinereceiver.TargetConfig)) goroutinereceiver.TargetConfig {
	t := goroutinereceiver.TargetConfig{
		ClientConfig: defaults().ClientConfig,
		ServiceName:  name,
		Capture:      goroutinereceiver.CaptureAuto,
	}
	t.ClientConfig.Endpoint = endpoint
	t.ClientConfig.TLS.InsecureSkipVerify = true
	for _, c := range change {
		c(&t)
	}
	return t
}

func defaults() *goroutinereceiver.Config {
	return goroutinereceiver.NewFactory().CreateDefaultConfig().(*goroutinereceiver.Config)
}

// startReceiver starts a receiver that scrapes targets every interval.
func startReceiver(t *testing.T, interval time.Duration, targets ...goroutinereceiver.TargetConfig) *running {
	t.Helper()
	factory := goroutinereceiver.NewFactory()
	config := defaults()
	config.CollectionInterval, config.Targets = interval, targets
	core, logs := observer.New(zap.DebugLevel)
	settings := receivertest.NewNopSettings(factory.Type())
	settings.Logger = zap.New(core)
	r := &running{scrapes: &scrapes{all: make(map[string][]scrape), news: make(chan struct{}, 1)}, logs: logs}
	var err error
	r.Metrics, err = factory.CreateMetrics(t.Context(), settings, config, r.scrapes)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { r.stop(t) })
	return r
}

// stop shuts the receiver down, which must take at most two seconds.
func (r *running) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	require.NoError(t, r.Shutdown(ctx))
}

// points returns the points of a metric.
func (s scrape) points(name string) pmetric.NumberDataPointSlice {
	for _, scope := range s.ResourceMetrics().At(0).ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			switch {
			case m.Name() != name:
			case m.Type() == pmetric.MetricTypeSum:
				return m.Sum().DataPoints()
			default:
				return m.Gauge().DataPoints()
			}
		}
	}
	return pmetric.NewNumberDataPointSlice()
}

// pointsOfFailure is the number of points of a failed scrape: its duration, goroutine.scrape.up, and the
// failures of each of nine error types.
const pointsOfFailure = 2 + 9

// up reports whether the scrape succeeded, and returns the error types of all failures so far, separated by
// commas.
func (s scrape) up() (up bool, errorTypes string) {
	var failed []string
	for _, p := range s.points("goroutine.scrape.failures").All() {
		if errorType, _ := p.Attributes().Get("error.type"); p.IntValue() > 0 {
			failed = append(failed, errorType.Str())
		}
	}
	slices.Sort(failed)
	return s.sum("goroutine.scrape.up") == 1, strings.Join(failed, ",")
}

func (s scrape) sum(name string) (sum int64) {
	for _, p := range s.points(name).All() {
		sum += p.IntValue()
	}
	return sum
}

// heapGrowth returns the growth of the heap of this process from before to its peak while during runs,
// including garbage.
func heapGrowth(during func()) (bytes int64) {
	runtime.GC()
	runtime.GC() // objects in a sync.Pool survive one cycle
	before := heapNow()
	done, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := before
		for again := time.NewTicker(time.Millisecond); ; {
			select {
			case <-done:
				again.Stop()
				peak <- most
				return
			case <-again.C:
				most = max(most, heapNow())
			}
		}
	}()
	during()
	close(done)
	return <-peak - before
}

func heapNow() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// mib formats a number of bytes in MiB.
func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

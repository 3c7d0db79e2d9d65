package alerts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// ward is a service for each alert, and one that is in order beside each that is not.
type ward struct {
	*webhook
	collector *watcher
	small     *watcher // may watch one stream, and passes on more; its list of targets is absent
	list      string   // of targets of small
	service   string   // the program

	crowded, busy *process
	proved        *process
	down          target
	stop          func() // pushing
}

// newWard starts all but the services.
func newWard(t *testing.T, service string) *ward {
	t.Helper()
	list := filepath.Join(t.TempDir(), "targets.json")
	w := &ward{
		service:   service,
		webhook:   startWebhook(t),
		collector: planCollector(t),
		small:     startSmallCollector(t, list),
		list:      list,
		down:      target{"down", loopback.FreeAddress(t)},
	}
	pager := startAlertmanager(t, w.URL)
	startPrometheus(t, byScraping, renderRules(t, defaultNaming), pager.address, w.collector.metrics, w.small.metrics)
	return w
}

// fallIll starts the services, each with its trouble.
func (w *ward) fallIll(t *testing.T) {
	t.Helper()
	crowded, busy := target{"crowded", loopback.FreeAddress(t)}, target{"busy", loopback.FreeAddress(t)}
	proved := target{"proved", loopback.FreeAddress(t)}
	w.collector.watch(t, []target{crowded, busy, w.down})
	proveLeaks(t, proved, w.collector)
	w.crowded = startProcess(t, nil, w.service, "-listen", crowded.address, "-hold", "1100")
	w.busy = startProcess(t, nil, w.service, "-listen", busy.address, "-hold", "900")
	w.proved = startProcess(t, nil, w.service, "-listen", proved.address, "-leak", "2s")

	now := time.Now()
	w.stop = push(t, []*watcher{w.collector, w.small},
		// A day and a half, since a day of growth may be load.
		memory("hoard", "other", now.Add(-36*time.Hour), grows(6*mib)),
		memory("large", "other", now, steady(60*mib)),
		memory("large", "stack", now, steady(60*mib)),
		memory("modest", "other", now, steady(60*mib)),
		memory("modest", "stack", now, steady(30*mib)),
		// Less than a day: what is known from its number alone is not probable yet.
		waiting(now.Add(-2*time.Hour), grows(6)),
		nameless(now),
		broken(now),
	)
}

// heal does away with the cause of each alert.
func (w *ward) heal(t *testing.T) {
	t.Helper()
	w.stop()
	for _, p := range []*process{w.crowded, w.proved} {
		p.args = p.args[:2] // where it listens
		require.NoError(t, p.restart(syscall.SIGTERM))
	}
	startProcess(t, nil, w.service, "-listen", w.down.address)
	require.NoError(t, os.WriteFile(w.list, []byte("[]"), 0o600))
	w.small.env = append(w.small.env, "MAX_STREAMS=100")
	require.NoError(t, w.small.restart(syscall.SIGTERM))
	w.small.awaitReady(t)

	now := time.Now()
	w.stop = push(t, []*watcher{w.collector, w.small},
		memory("hoard", "other", now, steady(40*mib)),
		memory("large", "other", now, steady(40*mib)),
		memory("large", "stack", now, steady(40*mib)),
		waiting(now, steady(3)),
	)
}

const smallConfig = `
extensions:
  health_check: {endpoint: %[1]q}
receivers:
  otlp: {protocols: {http: {endpoint: %[2]q}}}
  goroutine: {file_sd: [{files: [%[4]q], interval: 1s}]}
processors:
  leak_detect: {max_streams: "${env:MAX_STREAMS}"}
exporters:
  debug:
service:
  extensions: [health_check]
  pipelines:
    metrics: {receivers: [otlp, goroutine], processors: [leak_detect], exporters: [debug]}
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[3]s}}}}]
    logs: {level: warn}
`

// startSmallCollector starts a collector that may watch one stream, and finds its targets in a
// list. What a Prometheus scrapes of it are its own metrics.
func startSmallCollector(t *testing.T, list string) *watcher {
	t.Helper()
	w := planCollector(t)
	_, port, _ := strings.Cut(w.metrics, ":")
	config := filepath.Join(t.TempDir(), "small.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, smallConfig, w.health, w.otlp, port, list), 0o600))
	w.process = startProcess(t, []string{"MAX_STREAMS=1"}, collector, "--config", config)
	w.awaitReady(t)
	return w
}

// proveLeaks has a receiver collect the leak profiles of a service, and push what they say
// to a collector. It is not that of the collector, whose configuration has them at least
// five minutes apart.
func proveLeaks(t *testing.T, of target, to *watcher) {
	t.Helper()
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error { return to.push(md) })
	require.NoError(t, err)
	factory := goroutinereceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*goroutinereceiver.Config)
	config.ClientConfig.Endpoint, config.ServiceName = of.address, of.service
	config.CollectionInterval, config.AgedAfter = time.Second, 5*time.Second
	config.LeakProfile.Enabled, config.LeakProfile.Interval = true, 3*time.Second
	receiver, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), config, next)
	require.NoError(t, err)
	require.NoError(t, receiver.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, receiver.Shutdown(context.Background())) })
}

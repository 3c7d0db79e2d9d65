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

// environment has a service for each alert, and a neighbor of it that causes none.
type environment struct {
	*webhook
	collector *collectorProcess
	small     *collectorProcess // with max_streams at 1 and a list of targets that is missing
	list      string            // path of the target list of small
	service   string            // path of the service binary

	crowded, busy *process
	proved        *process
	down          target
	stop          func() // stops pushing metrics
}

// newEnvironment starts everything except the services.
func newEnvironment(t *testing.T, service string) *environment {
	t.Helper()
	list := filepath.Join(t.TempDir(), "targets.json")
	e := &environment{
		service:   service,
		webhook:   startWebhook(t),
		collector: newCollector(t),
		small:     startSmallCollector(t, list),
		list:      list,
		down:      target{"down", loopback.FreeAddress(t)},
	}
	pager := startAlertmanager(t, e.URL)
	startPrometheus(t, byScraping, renderRules(t, defaultNaming), pager.address, e.collector.metrics, e.small.metrics)
	return e
}

// startFaults starts the services, each with the cause of an alert.
func (e *environment) startFaults(t *testing.T) {
	t.Helper()
	crowded, busy := target{"crowded", loopback.FreeAddress(t)}, target{"busy", loopback.FreeAddress(t)}
	proved := target{"proved", loopback.FreeAddress(t)}
	e.collector.watch(t, []target{crowded, busy, e.down})
	proveLeaks(t, proved, e.collector)
	e.crowded = startProcess(t, nil, e.service, "-listen", crowded.address, "-hold", "1100")
	e.busy = startProcess(t, nil, e.service, "-listen", busy.address, "-hold", "900")
	e.proved = startProcess(t, nil, e.service, "-listen", proved.address, "-leak", "2s")

	now := time.Now()
	e.stop = push(t, []*collectorProcess{e.collector, e.small},
		// A day and a half, since a day of growth may be load.
		memory("hoard", "other", now.Add(-36*time.Hour), grows(6*mib)),
		memory("large", "other", now, steady(60*mib)),
		memory("large", "stack", now, steady(60*mib)),
		memory("modest", "other", now, steady(60*mib)),
		memory("modest", "stack", now, steady(30*mib)),
		// A leak detected from the count alone is not probable before it has lasted a day.
		waiting(now.Add(-2*time.Hour), grows(6)),
		nameless(now),
		broken(now),
	)
}

// removeFaults removes the cause of each alert.
func (e *environment) removeFaults(t *testing.T) {
	t.Helper()
	e.stop()
	for _, p := range []*process{e.crowded, e.proved} {
		p.args = p.args[:2] // keep only -listen
		require.NoError(t, p.restart(syscall.SIGTERM))
	}
	startProcess(t, nil, e.service, "-listen", e.down.address)
	require.NoError(t, os.WriteFile(e.list, []byte("[]"), 0o600))
	e.small.env = append(e.small.env, "MAX_STREAMS=100")
	require.NoError(t, e.small.restart(syscall.SIGTERM))
	e.small.awaitReady(t)

	now := time.Now()
	e.stop = push(t, []*collectorProcess{e.collector, e.small},
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

// startSmallCollector starts a collector with max_streams at 1 and targets from the file list.
// Prometheus scrapes only its internal metrics.
func startSmallCollector(t *testing.T, list string) *collectorProcess {
	t.Helper()
	w := newCollector(t)
	_, port, _ := strings.Cut(w.metrics, ":")
	config := filepath.Join(t.TempDir(), "small.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, smallConfig, w.health, w.otlp, port, list), 0o600))
	w.process = startProcess(t, []string{"MAX_STREAMS=1"}, collector, "--config", config)
	w.awaitReady(t)
	return w
}

// proveLeaks starts a receiver that collects leak profiles of a target and pushes the metrics to a
// collector. The receiver of the collector itself is not used, since its configuration requires at
// least five minutes between leak profiles.
func proveLeaks(t *testing.T, of target, to *collectorProcess) {
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

package alerts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// collectorConfig has the exporters of examples/collector and the times of the demo.
const collectorConfig = `
extensions:
  atomic_file_storage: {directory: %[1]q}
  health_check: {endpoint: %[2]q}

receivers:
  goroutine:
    collection_interval: 1s
    aged_after: 5s
    targets: [%[3]s]
  otlp: {protocols: {http: {endpoint: %[4]q}}}

processors:
  leak_detect:
    min_duration: 15s
    max_lifetime: 1m
    storage: atomic_file_storage

exporters:
  prometheus:
    endpoint: %[5]q
    resource_constant_labels:
      included: [service.name, service.instance.id, service.namespace,
        deployment.environment.name, k8s.cluster.name, k8s.namespace.name]
    metric_expiration: 5s
%[6]s

service:
  extensions: [atomic_file_storage, health_check]
  pipelines:
    metrics:
      receivers: [goroutine, otlp]
      processors: [leak_detect]
      exporters: [prometheus%[7]s]
  telemetry:
    metrics: {level: none}
    logs: {level: warn}
`

const remoteWriteExporter = `
  prometheusremotewrite/%[1]d:
    http: {endpoint: "http://%[2]s/api/v1/write"}
    resource_constant_labels:
      included: [service.name, service.instance.id, service.namespace,
        deployment.environment.name, k8s.cluster.name, k8s.namespace.name]
    retry_on_failure: {max_interval: 2s}
`

const otlpExporter = `
  otlp_http/%[1]d:
    endpoint: http://%[2]s/api/v1/otlp
    retry_on_failure: {max_interval: 2s}
`

// target is a service that is scraped.
type target struct{ service, address string }

// collectorProcess is a collector with its addresses.
type collectorProcess struct {
	*process
	health  string
	otlp    string // OTLP receiver
	metrics string // scraped by Prometheus
}

// newCollector returns a collector that is not started yet, so that its backends can be started with its
// address.
func newCollector(t *testing.T) *collectorProcess {
	t.Helper()
	return &collectorProcess{health: loopback.FreeAddress(t), otlp: loopback.FreeAddress(t), metrics: loopback.FreeAddress(t)}
}

// watch starts the collector with targets to scrape and backends to push to.
func (w *collectorProcess) watch(t *testing.T, targets []target, pushTo ...*backend) {
	t.Helper()
	var list []string
	for _, one := range targets {
		list = append(list, fmt.Sprintf("{endpoint: %q, service_name: %s}", one.address, one.service))
	}
	var exporters, names strings.Builder
	for i, to := range pushTo {
		exporter := fmt.Sprintf(to.exporter, i, to.address)
		name, _, _ := strings.Cut(strings.TrimSpace(exporter), ":")
		exporters.WriteString(exporter)
		names.WriteString(", " + name)
	}
	folder := t.TempDir()
	config := filepath.Join(folder, "collector.yaml")
	content := fmt.Appendf(nil, collectorConfig, filepath.Join(folder, "state"), w.health,
		strings.Join(list, ", "), w.otlp, w.metrics, exporters.String(), names.String())
	require.NoError(t, os.WriteFile(config, content, 0o600))
	w.process = startProcess(t, nil, collector, "--config", config)
	w.awaitReady(t)
}

func (w *collectorProcess) awaitReady(t *testing.T) {
	t.Helper()
	awaitReady(t, "http://"+w.health)
}

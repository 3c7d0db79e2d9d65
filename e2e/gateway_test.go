package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// agentConfig scrapes every second and sends three scrapes at a time.
const agentConfig = `
receivers:
  goroutine:
    collection_interval: 1s
    aged_after: 5s
    targets: [{endpoint: %[1]s, service_name: shop}]

processors:
  batch:
    timeout: 3s

exporters:
  otlp_http:
    endpoint: http://%[2]s
    retry_on_failure:
      initial_interval: 200ms

service:
  pipelines:
    metrics:
      receivers: [goroutine]
      processors: [batch]
      exporters: [otlp_http]
  telemetry:
    metrics:
      level: none
`

const gatewayConfig = `
extensions:
  atomic_file_storage:
    directory: %[3]s

receivers:
  otlp:
    protocols:
      http:
        endpoint: %[1]s

processors:
  leak_detect:
    min_duration: 15s
    max_lifetime: 1m
    storage: atomic_file_storage
  filter/flags:
    metrics:
      metric:
        - name != "goroutine.leak.severity" and name != "goroutine.leak.service.severity"

exporters:
  file:
    path: %[2]s
    append: true

service:
  extensions: [atomic_file_storage]
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [leak_detect, filter/flags]
      exporters: [file]
  telemetry:
    metrics:
      level: none
    logs:
      level: warn
`

// TestGatewayKeepsEveryFlag restarts the agent and the gateway. Although batches have several scrapes
// and some arrive late, no flag may end, neither of an instance nor of the service.
func TestGatewayKeepsEveryFlag(t *testing.T) {
	t.Parallel()
	folder, pprof, otlp := t.TempDir(), loopback.FreeAddress(t), loopback.FreeAddress(t)
	output := filepath.Join(folder, "flagged.json")
	write := func(name, text string, values ...any) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, text, values...), 0o600))
		return path
	}
	agentFile := write("agent.yaml", agentConfig, pprof, otlp)
	gatewayFile := write("gateway.yaml", gatewayConfig, otlp, output, folder)
	run(t, nil, buildLeaks(t), "-listen", pprof, "-every", "400ms", "-for", "4m")
	stopGateway := run(t, nil, collector, "--config", gatewayFile)
	stopAgent := run(t, nil, collector, "--config", agentFile)

	flagged := &findings{path: output, found: make(map[string]map[place]int64)}
	flagsOf := func(service string) map[place]int64 {
		flagged.update(t)
		return flagged.found[service]
	}
	all := make(map[place]bool)
	for _, l := range leaks() {
		if l.state != "io_wait" { // leaks that wait for a peer are flagged later
			all[l.place(t)] = true
		}
	}
	await(t, 100*time.Second, "every leak is probable", func() bool {
		flags := flagsOf("shop")
		for at := range all {
			if flags[at] < 2 {
				return false
			}
		}
		return true
	})
	// Until then a suspected leak may end.
	before, err := os.ReadFile(output)
	require.NoError(t, err)
	for range 2 {
		stopAgent()
		stopAgent = run(t, nil, collector, "--config", agentFile)
		awaitBatches(t, output, 3)
		stopGateway()
		stopGateway = run(t, nil, collector, "--config", gatewayFile)
		awaitBatches(t, output, 3)
	}
	stopAgent()
	stopGateway()
	ended, last := flagsSince(t, output, bytes.LastIndexByte(before, '\n')+1)
	assert.Empty(t, ended, "ended flags")
	for at := range all {
		assert.EqualValues(t, 2, last[at], "severity of %+v at the end", at)
	}
}

// flagsSince returns the flags that ended after an offset in the file, of instances and of services,
// and the severities in the last batch that has any.
func flagsSince(t *testing.T, output string, offset int) (ended []string, last map[place]int64) {
	t.Helper()
	data, err := os.ReadFile(output)
	require.NoError(t, err)
	for line := range bytes.Lines(data[offset:]) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		batch := &findings{found: make(map[string]map[place]int64)}
		batch.add(md)
		if flags := batch.found["shop"]; flags != nil {
			last = flags
		}
		for _, resource := range md.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					for _, p := range m.Gauge().DataPoints().All() {
						if p.IntValue() == 0 {
							ended = append(ended, fmt.Sprintf("%s of %+v at %v", m.Name(), placeOf(p.Attributes()), p.Timestamp().AsTime()))
						}
					}
				}
			}
		}
	}
	return ended, last
}

// awaitBatches waits until n more batches have been written.
func awaitBatches(t *testing.T, output string, n int) {
	t.Helper()
	count := func() int {
		data, err := os.ReadFile(output)
		require.NoError(t, err)
		return bytes.Count(data, []byte("\n"))
	}
	before := count()
	await(t, 60*time.Second, "data comes through", func() bool { return count() >= before+n })
}

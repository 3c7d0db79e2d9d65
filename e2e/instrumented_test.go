package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// bothWaysConfig receives metrics from the service and also scrapes it. Times are those of the demo.
const bothWaysConfig = `
receivers:
  otlp:
    protocols:
      http:
        endpoint: %[1]s
  goroutine:
    collection_interval: 1s
    aged_after: 5s
    targets:
      - endpoint: %[2]s
        service_name: scraped

processors:
  leak_detect:
    min_duration: 15s
    min_leaked: 10
    max_lifetime: 1m

exporters:
  file:
    path: %[3]s

service:
  pipelines:
    metrics:
      receivers: [otlp, goroutine]
      processors: [leak_detect]
      exporters: [file]
  telemetry:
    metrics:
      level: none
`

// TestInstrumentedServiceIsFlaggedAsTheScrapedOne runs examples/instrumented, which pushes its metrics
// and is scraped by the receiver. Both must lead to the same flags.
func TestInstrumentedServiceIsFlaggedAsTheScrapedOne(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	service := buildExample(t, "instrumented")

	otlp, pprof, output := loopback.FreeAddress(t), loopback.FreeAddress(t), filepath.Join(folder, "flagged.json")
	config := filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, bothWaysConfig, otlp, pprof, output), 0o600))
	run(t, nil, collector, "--config", config)
	run(t, []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + otlp,
		"OTEL_METRIC_EXPORT_INTERVAL=1000",
		"OTEL_SERVICE_NAME=instrumented",
		"OTEL_GO_GOROUTINE_INTERVAL=1s",
		"OTEL_GO_GOROUTINE_AGED_AFTER=5s",
		"OTEL_GO_GOROUTINE_OVERHEAD_BUDGET=0.1",
	}, service, "-listen", pprof, "-for", "3m")

	found := awaitFlags(t, output, func(f flags) bool {
		return f["instrumented"].hasAll() && f["scraped"].hasAll()
	})
	for _, function := range []string{"main.askWarehouse", "main.awaitReceipt"} {
		pushed, scraped := found["instrumented"][function], found["scraped"][function]
		require.Equal(t, scraped, pushed, "%s has the same signature, file and line in both", function)
		require.Contains(t, pushed, "leaks.go")
	}
	for service, functions := range found {
		for function := range functions {
			require.Contains(t, leakyFunctionsOfInstrumented, function, "%s: a healthy function is flagged", service)
		}
	}
}

// leakyFunctionsOfInstrumented has the functions of examples/instrumented whose goroutines leak.
var leakyFunctionsOfInstrumented = []string{"main.askWarehouse", "main.awaitReceipt", "main.followDelivery"}

// flags has the leaks flagged as probable, by service.
type flags map[string]flagged

// flagged has signature, state, file and line by blamed function; empty for an entry function.
type flagged map[string]string

func (f flagged) hasAll() bool {
	for _, function := range leakyFunctionsOfInstrumented {
		if _, ok := f[function]; !ok {
			return false
		}
	}
	return true
}

// awaitFlags reads the flags that the collector writes until done returns true.
func awaitFlags(t *testing.T, path string, done func(flags) bool) flags {
	t.Helper()
	found := make(flags)
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(100 * time.Second); time.Now().Before(deadline); <-again.C {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // not written yet
		}
		for line := range bytes.Lines(data) {
			if !bytes.HasSuffix(line, []byte("\n")) {
				break // incomplete
			}
			md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
			require.NoError(t, err)
			found.add(md)
		}
		if done(found) {
			return found
		}
	}
	require.Failf(t, "not all leaks were flagged within 100 s", "found: %v", found)
	return nil
}

// add adds the leaks of a batch that are at least probable.
func (f flags) add(md pmetric.Metrics) {
	for _, resource := range md.ResourceMetrics().All() {
		service := text(resource.Resource().Attributes(), "service.name")
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if m.Name() != "goroutine.leak.severity" {
					continue
				}
				for _, p := range m.Gauge().DataPoints().All() {
					if p.IntValue() >= 2 {
						f.addLeak(service, p.Attributes())
					}
				}
			}
		}
	}
}

func (f flags) addLeak(service string, attributes pcommon.Map) {
	if f[service] == nil {
		f[service] = make(flagged)
	}
	function := text(attributes, "code.function.name")
	if function == "" { // flagged by its entry
		f[service][text(attributes, "goroutine.entry.function.name")] += ""
		return
	}
	f[service][function] = strings.Join([]string{
		text(attributes, "goroutine.stack.signature"), text(attributes, "goroutine.state"),
		text(attributes, "code.file.path"), text(attributes, "code.line.number"),
	}, " ")
}

func text(attributes pcommon.Map, key string) string {
	value, ok := attributes.Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

// run runs a program until stop is called or the test ends. If the test fails, the output is logged.
func run(t *testing.T, env []string, program string, args ...string) (stop func()) {
	t.Helper()
	_, stop = launch(t, env, program, args...)
	return stop
}

// launch is like run, but also returns the process.
func launch(t *testing.T, env []string, program string, args ...string) (process *os.Process, stop func()) {
	t.Helper()
	var output bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	require.NoError(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		cancel()
		_ = cmd.Wait() // ended by a signal
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(program), &output)
		}
	})
	return cmd.Process, stop
}

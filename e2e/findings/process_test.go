package findings

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// version is a build of the service.
type version struct {
	executable string
	// name is the version in findings: the first digits of the build ID.
	name string
}

// buildVersion builds the service.
func buildVersion(t *testing.T, flags ...string) version {
	t.Helper()
	v := version{executable: filepath.Join(t.TempDir(), "service")}
	build := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", v.executable}, flags...), "./service")...)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	program, err := elf.Open(v.executable)
	require.NoError(t, err)
	defer func() { require.NoError(t, program.Close()) }()
	note, err := program.Section(".note.gnu.build-id").Data()
	require.NoError(t, err)
	const header = 16 // sizes, type and the name "GNU"
	v.name = hex.EncodeToString(note[header:])[:8]
	return v
}

// start runs a program until stop is called or the test ends. stop returns the output.
func start(t *testing.T, program string, args ...string) (stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, program, args...)
	var output bytes.Buffer
	process.Stdout, process.Stderr = &output, &output
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	process.WaitDelay = 10 * time.Second
	require.NoError(t, process.Start())
	stop = sync.OnceValue(func() string {
		cancel()
		_ = process.Wait() // ended by a signal
		return output.String()
	})
	t.Cleanup(func() {
		out := stop()
		if t.Failed() {
			t.Logf("%s ended with:\n%s", filepath.Base(program), out[max(0, len(out)-4000):])
		}
	})
	return stop
}

// config scrapes every second, with ages and durations of seconds. The default budget of origins would
// permit one trace in the time of the test.
const config = `
receivers:
  goroutine:
    endpoint: %[1]s
    service_name: shop
    collection_interval: 1s
    aged_after: 2s
    origins:
      budget: 1

processors:
  leak_detect:
    min_duration: 6s
    min_leaked: 10
    max_lifetime: 20s

connectors:
  leak_events:

exporters:
  debug:
    verbosity: detailed
    use_internal_logger: false
  file/metrics:
    path: %[2]s/metrics.json
    flush_interval: 100ms
  file/logs:
    path: %[2]s/logs.json
    flush_interval: 100ms

service:
  pipelines:
    metrics:
      receivers: [goroutine]
      processors: [leak_detect]
      exporters: [leak_events, file/metrics]
    logs:
      receivers: [leak_events, goroutine]
      exporters: [file/logs, debug]
  telemetry:
    metrics:
      level: none
    logs:
      level: warn
`

// startCollector runs the built collector, which watches the service and writes to a folder.
func startCollector(t *testing.T, address, folder string) (stop func() string) {
	t.Helper()
	path := filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, config, address, folder), 0o600))
	return start(t, filepath.Join("..", "..", "bin", "otelcol-goroutine"), "--config", path)
}

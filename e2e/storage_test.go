package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

const storageConfig = `
extensions:
  atomic_file_storage:
    directory: %[3]s

receivers:
  goroutine:
    collection_interval: 1s
    aged_after: 5s
    targets: [{endpoint: %[1]s, service_name: stored}]

processors:
  leak_detect:
    min_duration: 15s
    max_lifetime: 1m
    storage: atomic_file_storage
  filter/flags:
    metrics:
      metric:
        - name != "goroutine.leak.severity"

exporters:
  file:
    path: %[2]s

service:
  extensions: [atomic_file_storage]
  pipelines:
    metrics:
      receivers: [goroutine]
      processors: [leak_detect, filter/flags]
      exporters: [file]
  telemetry:
    metrics:
      level: none
    logs:
      level: info
`

// TestFlagsOutliveARestart restarts the collector after it has flagged a leak. The flag must be back
// before the leak could be detected again.
func TestFlagsOutliveARestart(t *testing.T) {
	t.Parallel()
	folder, service, pprof := t.TempDir(), buildLeaks(t), loopback.FreeAddress(t)
	run(t, nil, service, "-listen", pprof, "-every", "400ms", "-for", "3m")
	const detectionTime = 20 * time.Second // aged_after and min_duration
	first := startStoredCollector(t, folder, pprof, "first.json")
	first.awaitFlag(t, 60*time.Second)
	first.stop()
	second := startStoredCollector(t, folder, pprof, "second.json")
	second.awaitFlag(t, detectionTime-5*time.Second)
}

// storedCollector is a collector whose processor saves its state.
type storedCollector struct {
	findings
	stop func()
}

func startStoredCollector(t *testing.T, folder, pprof, output string) *storedCollector {
	t.Helper()
	c := &storedCollector{findings: findings{path: filepath.Join(folder, output), found: make(map[string]map[place]int64)}}
	config := filepath.Join(folder, output+".yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, storageConfig, pprof, c.path, folder), 0o600))
	c.stop = run(t, nil, collector, "--config", config)
	return c
}

// awaitFlag waits until one of the leaks is flagged as probable.
func (c *storedCollector) awaitFlag(t *testing.T, patience time.Duration) {
	t.Helper()
	leak := leaks()[1].place(t)
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-again.C {
		c.update(t)
		if c.found["stored"][leak] == probable(leaks()[1]) {
			return
		}
	}
	t.Fatalf("%+v is not flagged within %v, but: %v", leak, patience, c.found)
}

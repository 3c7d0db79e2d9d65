package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// soakConfig scrapes all targets and the collector itself. The sending queue is in a file, so that memory
// does not depend on how long the backend refuses, and retries are unlimited. The file is mapped into
// memory and never shrinks by itself, so it is compacted when it is almost empty. One consumer means one
// connection. The timeout is longer than the targets are blocked.
const soakConfig = `
extensions:
  atomic_file_storage:
    directory: %[1]s
  file_storage:
    directory: %[1]s
    compaction:
      directory: %[1]s
      on_rebound: true
      rebound_needed_threshold_mib: 32
      rebound_trigger_threshold_mib: 8
  pprof:
    endpoint: %[2]s

receivers:
  goroutine:
    collection_interval: 1s
    aged_after: 5s
    timeout: 5m
    targets:
      - {endpoint: %[2]s, service_name: %[3]s}
%[4]s
processors:
  leak_detect:
    min_duration: 15s
    max_lifetime: 1m
    storage: atomic_file_storage
  batch:

exporters:
  otlp_http:
    endpoint: %[5]s
    sending_queue:
      storage: file_storage
      queue_size: 10000
      num_consumers: 1
    retry_on_failure:
      initial_interval: 1s
      max_interval: 2s
      max_elapsed_time: 0s

service:
  extensions: [atomic_file_storage, file_storage, pprof]
  pipelines:
    metrics:
      receivers: [goroutine]
      processors: [leak_detect, batch]
      exporters: [otlp_http]
  telemetry:
    metrics:
      level: normal
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: %[6]s
    logs:
      level: warn
`

// self is the service.name under which the collector scrapes itself.
const self = "otelcol-goroutine"

// soakedCollector is a collector whose resources the test measures.
type soakedCollector struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	// telemetry is the URL of its own metrics, pprof that of its profiles.
	telemetry, pprof string
	output           bytes.Buffer
}

func startSoakedCollector(t *testing.T, p *targetPool, b *backend) *soakedCollector {
	t.Helper()
	folder, telemetry, pprof := t.TempDir(), loopback.FreeAddress(t), loopback.FreeAddress(t)
	_, port, _ := strings.Cut(telemetry, ":")
	var targets strings.Builder
	for _, target := range p.targets {
		fmt.Fprintf(&targets, "      - {endpoint: %s, service_name: %s}\n", target.endpoint, target.behaviour)
	}
	config := filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, soakConfig,
		folder, pprof, self, &targets, b.url, port), 0o600))
	c := &soakedCollector{telemetry: "http://" + telemetry + "/metrics", pprof: "http://" + pprof}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.cmd = exec.CommandContext(ctx, collector, "--config", config)
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 20 * time.Second
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() { c.stop(t) })
	return c
}

// stop shuts the collector down, which must exit without an error.
func (c *soakedCollector) stop(t *testing.T) {
	t.Helper()
	if c.cmd.ProcessState != nil {
		return
	}
	c.cancel()
	_ = c.cmd.Wait() // ProcessState has the result
	assert.True(t, c.cmd.ProcessState.Success(), "the collector: %v", c.cmd.ProcessState)
	if t.Failed() {
		const shown = 5000 // bytes
		t.Logf("The output of the collector ends with:\n%s", c.output.Bytes()[max(0, c.output.Len()-shown):])
	}
}

// counters has the collector's own metrics, each summed over its attributes.
type counters map[string]float64

func (c *soakedCollector) counters(t *testing.T) counters {
	t.Helper()
	found := make(counters)
	for line := range strings.Lines(c.get(t, c.telemetry)) {
		name, _, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
		if err == nil && !strings.HasPrefix(name, "#") {
			found[name] += value
		}
	}
	return found
}

// get fetches a page from the collector. On a busy machine that may take several attempts.
func (c *soakedCollector) get(t *testing.T, url string) string {
	t.Helper()
	var page []byte
	await(t, time.Minute, url, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		request.Close = true // an idle connection would add a descriptor
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		page, err = io.ReadAll(response.Body)
		return err == nil
	})
	return string(page)
}

// descriptors returns the number of open file descriptors of each kind.
//
//	socket:[4711]  ->  socket
//	/dev/null      ->  /dev/null
func (c *soakedCollector) descriptors(t *testing.T) map[string]int64 {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid)
	open, err := os.ReadDir(folder)
	require.NoError(t, err)
	found := make(map[string]int64)
	for _, descriptor := range open {
		link, err := os.Readlink(filepath.Join(folder, descriptor.Name()))
		if err != nil {
			continue // already closed
		}
		kind, _, _ := strings.Cut(link, ":[")
		found[kind]++
	}
	return found
}

// footprint is the memory of a process, in bytes.
type footprint struct {
	// resident is VmRSS. anonymous excludes mapped files: the kernel can reclaim the resident pages of
	// the queue's file at any time.
	resident, anonymous float64
	// live is the heap and stacks after the latest garbage collection.
	live float64
}

func (c *soakedCollector) footprint(t *testing.T) footprint {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(t, err)
	const kibibyte = 1024
	return footprint{
		resident:  kibibyte * numberAfter(t, string(status), "VmRSS:"),
		anonymous: kibibyte * numberAfter(t, string(status), "RssAnon:"),
		// By default the next collection starts at twice the live heap.
		live: numberAfter(t, c.get(t, c.pprof+"/debug/pprof/heap?debug=1"), "# NextGC =") / 2,
	}
}

// numberAfter returns the number that follows a word.
func numberAfter(t *testing.T, in, word string) float64 {
	t.Helper()
	_, rest, found := strings.Cut(in, word)
	require.True(t, found, word)
	n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	require.NoError(t, err, word)
	return n
}

func (c *soakedCollector) cpuSeconds() float64 {
	return (c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()).Seconds()
}

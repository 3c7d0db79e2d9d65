package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// severalProcessorsConfig has three processors, two of them in one pipeline, and two storages.
const severalProcessorsConfig = `
extensions:
  atomic_file_storage/a: {directory: %[3]s/a}
  atomic_file_storage/b: {directory: %[3]s/b}

receivers:
  goroutine:
    collection_interval: 1s
    aged_after: 1s
    endpoint: %[1]s

processors:
  leak_detect/alone: {min_duration: 5s, max_lifetime: 5s, storage: atomic_file_storage/a}
  leak_detect/first: {min_duration: 5s, max_lifetime: 5s, storage: atomic_file_storage/b}
  leak_detect/second: {min_duration: 5s, max_lifetime: 5s, storage: atomic_file_storage/b}

exporters:
  debug:

service:
  extensions: [atomic_file_storage/a, atomic_file_storage/b]
  pipelines:
    metrics/alone:
      receivers: [goroutine]
      processors: [leak_detect/alone]
      exporters: [debug]
    metrics/twice:
      receivers: [goroutine]
      processors: [leak_detect/first, leak_detect/second]
      exporters: [debug]
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[2]s}}}
    logs:
      encoding: json
`

// TestSeveralProcessors checks that the collector's own metrics have series for each processor, and that
// the second processor of a pipeline logs a warning.
func TestSeveralProcessors(t *testing.T) {
	t.Parallel()
	folder, own, log := t.TempDir(), loopback.FreeAddress(t), filepath.Join(t.TempDir(), "log")
	_, port, _ := strings.Cut(own, ":")
	config := filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, severalProcessorsConfig, "127.0.0.1:"+pprofPort(t, "127.0.0.1"), port, folder), 0o600))
	leakHere(t, 50*time.Millisecond)
	stop := runInto(t, log, nil, collector, "--config", config)
	warnings := func() []string {
		var found []string
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "Leaks are judged twice") {
				found = append(found, line)
			}
		}
		return found
	}
	await(t, time.Minute, "the collector warns that leaks are judged twice", func() bool { return len(warnings()) > 0 })
	page := get(t, "http://"+own+"/metrics")
	for _, name := range []string{"alone", "first", "second"} {
		assert.Regexp(t, `(?m)^otelcol_processor_leak_detect_streams\{[^}]*processor="leak_detect/`+name+`"[^}]*\} [1-9]`, page)
	}
	stop()
	require.Len(t, warnings(), 1)
	assert.Contains(t, warnings()[0], `"otelcol.component.id":"leak_detect/second"`)
}

// leakHere leaks goroutines in the test process until the test ends.
func leakHere(t *testing.T, every time.Duration) {
	t.Helper()
	var started sync.WaitGroup
	release := make(chan struct{})
	started.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-release:
				return
			case <-tick.C:
				started.Go(func() { hold("", release) })
			}
		}
	})
	t.Cleanup(func() {
		close(release)
		started.Wait()
	})
}

const missingStorageConfig = `
receivers: {goroutine: {endpoint: 127.0.0.1:6060}}
processors: {leak_detect: {storage: %s}}
exporters: {debug: }
extensions:
  atomic_file_storage/other: {directory: %s}
%s
service:
  extensions: [%s]
  pipelines: {metrics: {receivers: [goroutine], processors: [leak_detect], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
`

// TestMissingStorage checks that the collector's error explains how to fix the configuration.
func TestMissingStorage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ storage, defined, listed, want string }{
		"defined but not listed": {
			"atomic_file_storage", "  atomic_file_storage: {directory: %s}", "atomic_file_storage/other",
			`'storage': extension "atomic_file_storage" is not started: add it to service::extensions`,
		},
		"listed but not defined": {
			"atomic_file_storage", "", "atomic_file_storage, atomic_file_storage/other",
			`service::extensions: references extension "atomic_file_storage" which is not configured`,
		},
		"neither": {
			"atomic_file_storage", "", "atomic_file_storage/other",
			`define it under extensions if it is not there yet; or use a storage extension that is started: atomic_file_storage/other`,
		},
		"misspelled": {
			"atomic_storage", "", "atomic_file_storage/other",
			`'storage': this collector has no extension of type "atomic_storage"; the type of a storage extension is, for example, atomic_file_storage`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if tc.defined != "" {
				tc.defined = fmt.Sprintf(tc.defined, folder)
			}
			config := filepath.Join(folder, "collector.yaml")
			require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, missingStorageConfig, tc.storage, folder, tc.defined, tc.listed), 0o600))
			out, err := exec.CommandContext(t.Context(), collector, "--config", config).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(out), "Error: ")
			assert.Contains(t, string(out), tc.want)
		})
	}
}

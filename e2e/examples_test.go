package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// exampleCollectors returns the configurations of examples/collector by name.
func exampleCollectors(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "examples", "collector", "*.yaml"))
	require.NoError(t, err)
	examples := make(map[string]string)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		examples[strings.TrimSuffix(filepath.Base(file), ".yaml")] = string(content)
	}
	require.GreaterOrEqual(t, len(examples), 4, "one for each backend")
	return examples
}

var (
	// Default of a path or address that only one collector can use, and the variable that sets it.
	exclusiveSetting = regexp.MustCompile(`\$\{env:((?:STATE_DIR|LEAKS_FILE|TELEMETRY_PORT|[A-Z_]+_LISTEN|PAGE_ENDPOINT|HEALTH_ENDPOINT)):-([^}]+)\}`)
	// Port that no variable sets.
	fixedPort = regexp.MustCompile(`(?m)^\s+(?:endpoint|port): *(?:127\.0\.0\.1:|0\.0\.0\.0:|localhost:)?[0-9]+$`)
)

// TestExamplesUseSeparatePortsAndPaths checks that any two examples can run on one machine, and that
// variables can separate two collectors that run the same example.
func TestExamplesUseSeparatePortsAndPaths(t *testing.T) {
	takenBy := make(map[string]string)
	for name, content := range exampleCollectors(t) {
		places := exclusiveSetting.FindAllStringSubmatch(content, -1)
		assert.Contains(t, content, "TELEMETRY_PORT", "%s: the collector's own metrics would be at port 8888", name)
		for _, place := range places {
			at := place[2][strings.LastIndexByte(place[2], ':')+1:]
			assert.Empty(t, takenBy[at], "%s: %s is %s", name, place[1], at)
			takenBy[at] = name
		}
		assert.Empty(t, fixedPort.FindAllString(content, -1), "%s: a port that no variable sets", name)
	}
	assert.NotContains(t, takenBy, "8888", "the default port of any collector")
}

// TestExamplesSaveState checks that the components of each example save their state.
func TestExamplesSaveState(t *testing.T) {
	for name, content := range exampleCollectors(t) {
		var conf struct {
			Processors, Connectors, Exporters map[string]struct{ Storage string }
			Service                           struct{ Extensions []string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(content), &conf), name)
		if name == "agent" { // it sends to detectors
			assert.NotContains(t, conf.Processors, "leak_detect")
			continue
		}
		stateful := 0
		for _, components := range []map[string]struct{ Storage string }{conf.Processors, conf.Connectors, conf.Exporters} {
			for component, settings := range components {
				if slices.Contains([]string{"leak_detect", "leak_events", "leak_page"}, component) {
					assert.Equal(t, "atomic_file_storage", settings.Storage, "%s: %s", name, component)
					stateful++
				}
			}
		}
		assert.Positive(t, stateful, name)
		assert.Contains(t, conf.Service.Extensions, "atomic_file_storage", name)
		assert.Contains(t, content, "directory: ${env:STATE_DIR:-", name)
	}
}

// commentedOut matches a key that is commented out: no space follows the #, unlike in prose.
var commentedOut = regexp.MustCompile(`^( +)#([^# ].*)$`)

// withSources returns examples/collector/discovery.yaml with the given keys of the receiver uncommented.
func withSources(t *testing.T, keys ...string) string {
	t.Helper()
	lines := strings.Split(read(t, filepath.Join("examples", "collector", "discovery.yaml")), "\n")
	wanted, found := false, 0
	for i, line := range lines {
		match := commentedOut.FindStringSubmatch(line)
		if match == nil {
			wanted = false
			continue
		}
		if len(match[1]) == 4 {
			if wanted = slices.Contains(keys, strings.TrimSuffix(match[2], ":")); wanted {
				found++
			}
		}
		if wanted {
			lines[i] = match[1] + match[2]
		}
	}
	require.Equal(t, len(keys), found, "%v must be commented out in the example", keys)
	return strings.Join(lines, "\n")
}

// TestTwoExamplesAtOnce runs two examples at the same time, configured by variables alone.
func TestTwoExamplesAtOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	target := "127.0.0.1:" + pprofPort(t, "127.0.0.1")
	start := func(example string, env ...string) (telemetry string) {
		telemetry = loopback.FreeAddress(t)
		_, port, _ := strings.Cut(telemetry, ":")
		run(t, append(env, "TELEMETRY_PORT="+port, "CART_PPROF="+target, "STATE_DIR="+filepath.Join(folder, example)),
			collector, "--config", filepath.Join("..", "examples", "collector", example+".yaml"))
		return telemetry
	}
	page := loopback.FreeAddress(t)
	first := start("prometheus", "PROMETHEUS_LISTEN="+page)
	second := start("file", "LEAKS_FILE="+filepath.Join(folder, "leaks.jsonl"))
	for name, own := range map[string]string{"prometheus": first, "file": second} {
		await(t, time.Minute, name+" has scraped", func() bool {
			return strings.Contains(pageAt(t.Context(), "http://"+own+"/metrics"), `otelcol_processor_leak_detect_streams`)
		})
		assert.DirExists(t, filepath.Join(folder, name))
	}
	assert.Contains(t, pageAt(t.Context(), "http://"+page+"/metrics"), `goroutine_scrape_up`)
}

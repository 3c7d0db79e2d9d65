package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestExampleConfigurationsAreValid validates every example configuration with the collector.
func TestExampleConfigurationsAreValid(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "examples", "collector", "*.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 4, "one for each backend")
	for _, example := range []string{"leaky", "instrumented"} {
		files = append(files, filepath.Join("..", "examples", example, "collector.yaml"))
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), collector, "validate", "--config", file).CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
}

// TestOwnCollectorConfigurationsAreValid validates the configuration in docs/own-collector.md, alone and
// with the one that shortens its times. The first block is the builder's.
func TestOwnCollectorConfigurationsAreValid(t *testing.T) {
	blocks := yamlBlock.FindAllStringSubmatch(read(t, "docs/own-collector.md"), -1)
	require.Len(t, blocks, 3)
	args := []string{"validate"}
	for i, block := range blocks[1:] {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.yaml", i))
		require.NoError(t, os.WriteFile(file, []byte(block[1]), 0o600))
		args = append(args, "--config", file)
		out, err := exec.CommandContext(t.Context(), collector, args...).CombinedOutput()
		assert.NoError(t, err, "%s\n%s", out, block[1])
	}
}

// TestSourcesOfTargetsAreValid validates the commented-out sources of examples/collector/discovery.yaml.
// target_allocator and shard exclude each other.
func TestSourcesOfTargetsAreValid(t *testing.T) {
	for _, sources := range [][]string{
		{"http_sd", "dns", "target_allocator"},
		{"http_sd", "dns", "shard"},
	} {
		file := filepath.Join(t.TempDir(), "collector.yaml")
		require.NoError(t, os.WriteFile(file, []byte(withSources(t, sources...)), 0o600))
		out, err := exec.CommandContext(t.Context(), lean, "validate", "--config", file).CombinedOutput()
		assert.NoError(t, err, "%v: %s", sources, out)
	}
}

// TestLeanDistributionRunsExamples validates every example with the lean distribution. It must refuse
// those with components that it lacks.
func TestLeanDistributionRunsExamples(t *testing.T) {
	missing := map[string]string{"agent": "load_balancing", "kubernetes": "receiver_creator", "file": "filter", "findings": "filter", "shard": "filter"}
	for name := range exampleCollectors(t) {
		file := filepath.Join("..", "examples", "collector", name+".yaml")
		out, err := exec.CommandContext(t.Context(), lean, "validate", "--config", file).CombinedOutput()
		if component := missing[name]; component != "" {
			require.Error(t, err, name)
			assert.Contains(t, string(out), component)
			continue
		}
		assert.NoError(t, err, "%s: %s", name, out)
	}
}

// TestValidationErrorNamesTheKey makes mistakes that users make.
func TestValidationErrorNamesTheKey(t *testing.T) {
	tests := []struct{ name, conf, key string }{
		{"duration", "receivers: {goroutine: {endpoint: 127.0.0.1:6060, aged_after: soon}}", "aged_after"},
		{"negative", "receivers: {goroutine: {endpoint: 127.0.0.1:6060, aged_after: -1s}}", "aged_after"},
		{"unknown", "receivers: {goroutine: {endpoint: 127.0.0.1:6060, agedafter: 1s}}", `receivers::goroutine: unknown key "agedafter", did you mean "aged_after"?`},
		{"target", "receivers: {goroutine: {targets: [{endpoint: 127.0.0.1:6060}, {endpoint: 127.0.0.1:6061, capture: heap}]}}", "capture"},
		{"processor", "receivers: {goroutine: {endpoint: 127.0.0.1:6060}}\nprocessors: {leak_detect: {max_lifetime: 0s}}", "max_lifetime"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "collector.yaml")
			conf := test.conf + "\nexporters: {debug: {}}\nservice: {pipelines: {metrics: {receivers: [goroutine], exporters: [debug]}}}\n"
			require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
			out, err := exec.CommandContext(t.Context(), collector, "validate", "--config", file).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(out), test.key)
		})
	}
}

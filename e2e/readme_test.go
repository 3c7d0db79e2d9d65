package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var (
	yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	goProgram = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")
	// Objects of Kubernetes, rules of Prometheus, and configurations of a collector with other receivers.
	otherYAML = regexp.MustCompile("(?m)^(apiVersion|groups):|^# otelcol-contrib")
)

// TestConfigurationsInReadmesAreValid completes the partial configurations in the READMEs, and validates
// them with the collector.
func TestConfigurationsInReadmesAreValid(t *testing.T) {
	t.Setenv("POD_NAME", "detector-0")
	for _, readme := range []string{
		"README.md", "SECURITY.md", "receiver/goroutinereceiver/README.md",
		"processor/leakdetect/README.md", "connector/leakevents/README.md", "exporter/leakpage/README.md",
	} {
		blocks := yamlBlock.FindAllStringSubmatch(read(t, readme), -1)
		blocks = slices.DeleteFunc(blocks, func(block []string) bool { return otherYAML.MatchString(block[1]) })
		require.NotEmpty(t, blocks, "%s shows no configuration", readme)
		for _, block := range blocks {
			t.Run(readme, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "collector.yaml")
				require.NoError(t, os.WriteFile(file, complete(t, block[1]), 0o600))
				out, err := exec.CommandContext(t.Context(), collector, "validate", "--config", file).CombinedOutput()
				assert.NoError(t, err, "%s\n%s", out, block[1])
			})
		}
	}
}

// TestProgramsInSecurityCompile vets the programs in SECURITY.md.
func TestProgramsInSecurityCompile(t *testing.T) {
	programs := goProgram.FindAllStringSubmatch(read(t, "SECURITY.md"), -1)
	require.NotEmpty(t, programs)
	for _, program := range programs {
		file := filepath.Join(t.TempDir(), "main.go")
		require.NoError(t, os.WriteFile(file, []byte(program[1]), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput()
		assert.NoError(t, err, "%s\n%s", out, program[1])
	}
}

// complete adds a receiver, an exporter, and a service section if they are missing.
func complete(t *testing.T, part string) []byte {
	t.Helper()
	conf := map[string]map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(part), &conf))
	names := func(section, fallback string, settings any) []string {
		if conf[section] == nil {
			conf[section] = map[string]any{fallback: settings}
		}
		return slices.Sorted(maps.Keys(conf[section]))
	}
	pipeline := map[string]any{
		"receivers": names("receivers", "goroutine", map[string]any{"endpoint": "127.0.0.1:6060"}),
		"exporters": names("exporters", "debug", nil),
	}
	if conf["processors"] != nil {
		pipeline["processors"] = names("processors", "", nil)
	}
	if conf["service"] == nil {
		conf["service"] = map[string]any{
			"extensions": slices.Sorted(maps.Keys(conf["extensions"])),
			"pipelines":  map[string]any{"metrics": pipeline},
		}
	}
	out, err := yaml.Marshal(conf)
	require.NoError(t, err)
	return out
}

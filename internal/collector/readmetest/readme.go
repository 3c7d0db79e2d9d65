// Package readmetest compares the README.md of a component with its code. It is for tests.
package readmetest

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// Text returns README.md of the package under test.
func Text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// Rows returns the rows of tables whose first cell is code. There must be at least one.
func Rows(t *testing.T, code string) []string {
	t.Helper()
	var rows []string
	for line := range strings.Lines(Text(t)) {
		if strings.HasPrefix(line, "| `"+code+"` |") {
			rows = append(rows, line)
		}
	}
	require.NotEmpty(t, rows, "rows for %s", code)
	return rows
}

// Parse parses YAML as the collector does.
func Parse(t *testing.T, yaml string) *confmap.Conf {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf
}

// CheckExamples unmarshals and validates a section of each YAML example that has it. There must be
// n, which all differ from the default.
func CheckExamples(t *testing.T, section string, n int, defaultConfig func() component.Config) {
	t.Helper()
	found := 0
	for _, block := range strings.Split(Text(t), "```yaml\n")[1:] {
		yaml, _, _ := strings.Cut(block, "```")
		example := Parse(t, yaml)
		if !example.IsSet(section) {
			continue
		}
		found++
		conf, err := example.Sub(section)
		require.NoError(t, err)
		cfg := defaultConfig()
		require.NoError(t, conf.Unmarshal(cfg), yaml)
		require.NoError(t, confmap.Validate(cfg), yaml)
		assert.NotEqual(t, defaultConfig(), cfg, yaml)
	}
	assert.Equal(t, n, found, "examples of %s", section)
}

// CheckTelemetry checks that each metric about the component in metadata.yaml has a row.
func CheckTelemetry(t *testing.T) {
	t.Helper()
	metadata, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	metrics, err := Parse(t, string(metadata)).Sub("telemetry::metrics")
	require.NoError(t, err)
	require.NotEmpty(t, metrics.ToStringMap())
	for name := range metrics.ToStringMap() {
		Rows(t, "otelcol_"+name)
	}
}

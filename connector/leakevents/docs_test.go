package leakevents

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(data)
}

// row returns the README's table row whose first cell is this code.
func row(t *testing.T, code string) string {
	t.Helper()
	for line := range strings.Lines(readme(t)) {
		if strings.HasPrefix(line, "| `"+code+"` |") {
			return line
		}
	}
	t.Fatalf("README.md has no row for %s", code)
	return ""
}

func parse(t *testing.T, yaml string) *confmap.Conf {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf
}

func TestReadmeHasEverySettingWithItsDefault(t *testing.T) {
	for field := range reflect.TypeFor[Config]().Fields() {
		key := field.Tag.Get("mapstructure")
		_, value, _ := strings.Cut(row(t, key), "` | ")
		value, _, _ = strings.Cut(value, " |")
		if value = strings.Trim(value, "`"); value == "" || strings.HasPrefix(value, "|") {
			assert.Equal(t, "storage", key)
			continue
		}
		got := &Config{}
		require.NoError(t, parse(t, key+": "+value).Unmarshal(got))
		assert.Equal(t, reflect.ValueOf(*defaultConfig()).FieldByName(field.Name).Interface(), reflect.ValueOf(*got).FieldByName(field.Name).Interface(), key)
	}
}

// The examples are read as the collector reads them.
func TestReadmeExamplesAreValid(t *testing.T) {
	blocks := strings.Split(readme(t), "```yaml\n")[1:]
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		yaml, _, _ := strings.Cut(block, "```")
		sub, err := parse(t, yaml).Sub("connectors::leak_events")
		require.NoError(t, err)
		cfg := NewFactory().CreateDefaultConfig()
		require.NoError(t, sub.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.NotEqual(t, defaultConfig(), cfg)
	}
}

// TestReadmeShowsRealEvents holds the sentences that it shows to those of the golden file.
func TestReadmeShowsRealEvents(t *testing.T) {
	_, block, _ := strings.Cut(readme(t), "```\n")
	block, _, _ = strings.Cut(block, "```")
	events, err := os.ReadFile("testdata/events.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, block)
	for line := range strings.Lines(block) {
		assert.Contains(t, string(events), strings.TrimSpace(line))
	}
}

// TestAttributesAreRegistered holds what is written to the page of the registry.
func TestAttributesAreRegistered(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "`goroutine.leak`:")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	events, err := golden.ReadLogs("testdata/events.yaml")
	require.NoError(t, err)
	for _, rl := range events.ResourceLogs().All() {
		for key := range rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().All() {
			assert.Contains(t, section, "| `"+key+"` |")
		}
	}
}

func TestReadmeHasEveryChangeAndMetric(t *testing.T) {
	for _, kind := range []finding.ChangeKind{
		finding.Detected, finding.Raised, finding.Lowered, finding.Ended, finding.ClosedByVersion, finding.Regressed,
	} {
		row(t, string(kind))
	}
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	metrics, err := conf.Sub("telemetry::metrics")
	require.NoError(t, err)
	require.NotEmpty(t, metrics.ToStringMap())
	for name := range metrics.ToStringMap() {
		row(t, "otelcol_"+name)
	}
}

func TestMistakesNameTheirKey(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"max_stale":     func(c *Config) { c.MaxStale = leastMaxStale - 1 },
		"max_findings":  func(c *Config) { c.MaxFindings = 0 },
		"max_processes": func(c *Config) { c.MaxProcesses = -1 },
		"runbook_url":   func(c *Config) { c.RunbookURL = "docs/leaks" },
	} {
		c := defaultConfig()
		change(c)
		require.ErrorContains(t, c.Validate(), "'"+key+"'")
	}
	require.NoError(t, defaultConfig().Validate())
}

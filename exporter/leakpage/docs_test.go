package leakpage

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
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
		key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if field.Name == "Server" {
			key = "endpoint"
		}
		_, value, _ := strings.Cut(row(t, key), "` | ")
		value, _, _ = strings.Cut(value, " |")
		value = strings.Trim(value, "`")
		if key == "storage" || key == "source_url" {
			assert.Contains(t, row(t, key), "` | | ", "%s has no default", key)
			continue
		}
		got := defaultConfig()
		reflect.ValueOf(got).Elem().FieldByName(field.Name).SetZero()
		require.NoError(t, parse(t, key+": "+value).Unmarshal(got), key)
		if field.Name == "Server" {
			assert.Equal(t, defaultEndpoint, got.Server.NetAddr.Endpoint)
			continue
		}
		want := reflect.ValueOf(*defaultConfig()).FieldByName(field.Name)
		if want.Kind() == reflect.Slice {
			assert.Zero(t, want.Len())
			continue
		}
		assert.Equal(t, want.Interface(), reflect.ValueOf(*got).FieldByName(field.Name).Interface(), key)
	}
}

// The examples are read as the collector reads them.
func TestReadmeExamplesAreValid(t *testing.T) {
	blocks := strings.Split(readme(t), "```yaml\n")[1:]
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		yaml, _, _ := strings.Cut(block, "```")
		sub, err := parse(t, yaml).Sub("exporters::leak_page")
		require.NoError(t, err)
		cfg := NewFactory().CreateDefaultConfig()
		require.NoError(t, sub.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.NotEqual(t, defaultConfig(), cfg)
	}
}

func TestReadmeHasEveryMetric(t *testing.T) {
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	metrics, err := conf.Sub("telemetry::metrics")
	require.NoError(t, err)
	require.NotEmpty(t, metrics.ToStringMap())
	for name := range metrics.ToStringMap() {
		row(t, "otelcol_"+name)
	}
}

// TestReadmeHasEveryAddress asks for each address that is told, of a leak that there is.
func TestReadmeHasEveryAddress(t *testing.T) {
	r := start(t, nil)
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Now(), 60)))
	for _, address := range []string{"/api/findings", "/api/findings/{id}", "/api/services", "/api/schema.json", "/findings/{id}/markdown"} {
		row(t, address)
		status, _ := r.get(strings.ReplaceAll(address, "{id}", leakID), "")
		assert.Equal(t, 200, status, address)
	}
	row(t, "/events")
}

func TestMistakesNameTheirKey(t *testing.T) {
	for key, changes := range map[string][]func(*Config){
		"endpoint":         {func(c *Config) { c.Server.NetAddr.Endpoint = "" }},
		"allowed_hosts":    {func(c *Config) { c.AllowedHosts = []string{"https://x"} }, func(c *Config) { c.AllowedHosts = []string{"*"} }, func(c *Config) { c.AllowedHosts = []string{""} }},
		"source_url":       {func(c *Config) { c.SourceURL = "http://x/{file}" }, func(c *Config) { c.SourceURL = "https://{service}/x" }, func(c *Config) { c.SourceURL = "javascript:x" }},
		"runbook_url":      {func(c *Config) { c.RunbookURL = "docs/leaks" }},
		"aged_after":       {func(c *Config) { c.AgedAfter = 0 }},
		"min_duration":     {func(c *Config) { c.MinDuration = -1 }},
		"max_lifetime":     {func(c *Config) { c.MaxLifetime = 0 }},
		"goroutine_limit":  {func(c *Config) { c.GoroutineLimit = -1 }},
		"memory_limit_mib": {func(c *Config) { c.MemoryLimitMiB = -1 }},
		"max_stale":        {func(c *Config) { c.MaxStale = leastMaxStale - 1 }},
		"max_findings":     {func(c *Config) { c.MaxFindings = 0 }},
		"max_instances":    {func(c *Config) { c.MaxInstances = 0 }},
		"max_groups":       {func(c *Config) { c.MaxGroups = 0 }},
	} {
		for _, change := range changes {
			c := defaultConfig()
			change(c)
			require.ErrorContains(t, c.Validate(), "'"+key+"'")
		}
	}
	require.NoError(t, defaultConfig().Validate())
}

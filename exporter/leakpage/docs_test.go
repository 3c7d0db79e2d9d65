package leakpage

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/readmetest"
)

func TestReadmeHasEverySettingWithItsDefault(t *testing.T) {
	for field := range reflect.TypeFor[Config]().Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if field.Name == "Server" {
			key = "endpoint"
		}
		_, value, _ := strings.Cut(readmetest.Rows(t, key)[0], "` | ")
		value, _, _ = strings.Cut(value, " |")
		value = strings.Trim(value, "`")
		if key == "storage" || key == "source_url" {
			assert.Contains(t, readmetest.Rows(t, key)[0], "` | | ", "%s has no default", key)
			continue
		}
		got := defaultConfig()
		reflect.ValueOf(got).Elem().FieldByName(field.Name).SetZero()
		require.NoError(t, readmetest.Parse(t, key+": "+value).Unmarshal(got), key)
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

func TestReadmeExamplesAreValid(t *testing.T) {
	readmetest.CheckExamples(t, "exporters::leak_page", 2, NewFactory().CreateDefaultConfig)
}

func TestReadmeHasEveryMetric(t *testing.T) {
	readmetest.CheckTelemetry(t)
}

// TestReadmeHasEveryPath requests each documented path, for an existing leak.
func TestReadmeHasEveryPath(t *testing.T) {
	r := start(t, nil)
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), shop(time.Now(), 60)))
	for _, path := range []string{"/api/findings", "/api/findings/{id}", "/api/services", "/api/schema.json", "/findings/{id}/markdown"} {
		readmetest.Rows(t, path)
		status, _ := r.get(strings.ReplaceAll(path, "{id}", leakID), "")
		assert.Equal(t, 200, status, path)
	}
	readmetest.Rows(t, "/events")
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	for key, changes := range map[string][]func(*Config){
		"endpoint":         {func(c *Config) { c.Server.NetAddr.Endpoint = "" }},
		"allowed_hosts":    {func(c *Config) { c.AllowedHosts = []string{"https://x"} }, func(c *Config) { c.AllowedHosts = []string{"*"} }, func(c *Config) { c.AllowedHosts = []string{""} }},
		"source_url":       {func(c *Config) { c.SourceURL = "http://x/{file}" }, func(c *Config) { c.SourceURL = "https://{service}/x" }, func(c *Config) { c.SourceURL = "javascript:x" }},
		"runbook_url":      {func(c *Config) { c.RunbookURL = "docs/leaks" }},
		"aged_after":       {func(c *Config) { c.AgedAfter = 10 }},
		"min_duration":     {func(c *Config) { c.MinDuration = 30 }},
		"max_lifetime":     {func(c *Config) { c.MaxLifetime = 720 }},
		"goroutine_limit":  {func(c *Config) { c.GoroutineLimit = -1 }},
		"memory_limit_mib": {func(c *Config) { c.MemoryLimitMiB = -1 }},
		"max_stale":        {func(c *Config) { c.MaxStale = minMaxStale - 1 }},
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

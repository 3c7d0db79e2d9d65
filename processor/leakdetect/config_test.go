package leakdetect

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// loadConfig unmarshals the configuration of a processor.
func loadConfig(t *testing.T, from *confmap.Conf, name string) *Config {
	sub, err := from.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig()
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg.(*Config)
}

func TestConfig(t *testing.T) {
	from, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	storageID := component.MustNewIDWithName("file_storage", "leaks")
	for name, want := range map[string]*Config{
		"": defaultConfig(),
		"all": {
			MinDuration: time.Hour,
			MinLeaked:   50,
			MaxLifetime: 20 * time.Minute,
			MaxStreams:  20_000,
			MaxStale:    48 * time.Hour,
			Memory: []MemoryRule{
				{Metric: "go.memory.used", MinLeaked: 64 << 20},
				{Metric: "process_resident_memory_bytes", MinLeaked: 256 << 20},
			},
			Overrides: []Override{
				{Service: "chat", MaxLifetime: 36 * time.Hour},
				{Attributes: map[string]string{"deployment.environment.name": "staging"}, MinLeaked: 100, MinDuration: 2 * time.Hour},
			},
			Ignore: []IgnoreRule{
				{Function: "app.janitor", Reason: "one for each tenant"},
				{Entry: "app.poll", Signature: "23674ceb13919c2c", Reason: "goes away", Until: "2027-03-31"},
			},
			Storage: &storageID,
		},
		"no_memory": func() *Config {
			c := defaultConfig()
			c.Memory = []MemoryRule{}
			return c
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			got := loadConfig(t, from, name)
			require.NoError(t, confmap.Validate(got))
			assert.Equal(t, want, got)
		})
	}
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	from, err := confmaptest.LoadConf(filepath.Join("testdata", "config_bad.yaml"))
	require.NoError(t, err)
	for name, want := range map[string][]error{
		"min_duration":      {errMinDuration},
		"min_duration_long": {errMinDurationLong},
		"min_leaked":        {errMinLeaked},
		"max_lifetime":      {errMaxLifetime},
		"no_unit":           {errMinDuration, errMaxLifetime},
		"max_streams":       {errMaxStreams},
		"max_stale":         {errMaxStale},
		"memory_metric":     {errMemoryMetric},
		"memory_twice":      {errMemoryTwice},
		"memory_goroutine":  {errMemoryGoroutine},
		"memory_min_leaked": {errMemoryMinLeaked},
		"override_whom":     {errOverrideWhom},
		"override_nothing":  {errOverrideNothing},
		"override_leaked":   {errOverrideLeaked},
		"override_no_unit":  {errMinDuration, errMaxLifetime},
		"override_long":     {errMinDurationLong},
		"override_stale":    {errOverrideStale},
		"ignore_all":        {errIgnoreAll},
		"ignore_pattern":    {errIgnorePattern},
		"ignore_reason":     {errIgnoreReason},
		"ignore_until":      {errIgnoreUntil},
		"all":               {errMinLeaked, errMaxStreams, errMemoryTwice},
	} {
		t.Run(name, func(t *testing.T) {
			err := confmap.Validate(loadConfig(t, from, name))
			for _, w := range want {
				require.ErrorIs(t, err, w)
			}
			assert.Len(t, strings.Split(err.Error(), "\n"), len(want), "no other error")
		})
	}
	t.Run("unknown key", func(t *testing.T) {
		conf := confmap.NewFromStringMap(map[string]any{"max_lifetimes": "1h"})
		assert.ErrorContains(t, conf.Unmarshal(NewFactory().CreateDefaultConfig()), "max_lifetimes")
	})
}

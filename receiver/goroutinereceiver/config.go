package goroutinereceiver

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// Capture selects how the goroutines of a target are read.
type Capture string

const (
	// CaptureAuto takes an execution trace, or a goroutine profile if the trace fails.
	CaptureAuto Capture = "auto"
	// CaptureTrace takes execution traces only.
	CaptureTrace Capture = "trace"
	// CaptureProfile takes goroutine profiles only: counts, no census.
	CaptureProfile Capture = "profile"
)

// Config is the configuration of the receiver. Its settings of the HTTP client, the service and
// the capture are defaults for the targets.
type Config struct {
	// ClientConfig configures the HTTP client of the targets. Its endpoint is the short form of
	// a single target.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// CollectionInterval is the time between two scrapes of a target.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
	// MaxConcurrentScrapes is how many responses are read and decoded at once. All receivers
	// share the smallest of their limits.
	MaxConcurrentScrapes int `mapstructure:"max_concurrent_scrapes"`
	// MaxBodySize is the maximum size of a decompressed response, in bytes.
	MaxBodySize int `mapstructure:"max_body_size"`
	// AgedAfter is how long ago a goroutine must have been first seen to count as aged. Age
	// bands start at 1, 8, 32 and 64 times AgedAfter.
	AgedAfter time.Duration `mapstructure:"aged_after"`
	// MaxSignatures is how many groups, and how many entries, are reported of a process. The
	// others are summed up as "other".
	MaxSignatures int `mapstructure:"max_signatures"`
	// Capture selects how goroutines are read: auto, trace or profile.
	Capture Capture `mapstructure:"capture"`
	// LeakProfile configures the collection of the runtime's leak profiles.
	LeakProfile LeakProfileConfig `mapstructure:"leak_profile"`
	// Origins configures the traces that show where accumulating goroutines come from.
	Origins OriginsConfig `mapstructure:"origins"`
	// AllowLinkLocal are the hosts, as in their endpoints, that may have a link-local address.
	AllowLinkLocal []string `mapstructure:"allow_link_local"`
	// ServiceName is the service.name of the target.
	ServiceName string `mapstructure:"service_name"`
	// Attributes are added to the resource of every target.
	Attributes map[string]string `mapstructure:"attributes"`
	// Targets are the processes to scrape, in addition to discovered ones.
	Targets []TargetConfig `mapstructure:"targets"`
	// FileSD are files with lists of targets.
	FileSD []FileSDConfig `mapstructure:"file_sd"`
	// HTTPSD are servers with lists of targets.
	HTTPSD []HTTPSDConfig `mapstructure:"http_sd"`
	// DNS are names whose records are targets.
	DNS []DNSConfig `mapstructure:"dns"`
	// TargetAllocator is the allocator that assigns targets to the collector.
	TargetAllocator TargetAllocatorConfig `mapstructure:"target_allocator"`
	// Shard selects the targets to scrape out of all.
	Shard ShardConfig `mapstructure:"shard"`

	// unknownKeys is an error for Validate, whose errors have the path of the receiver, unlike
	// those of Unmarshal. It is nil without unknown keys.
	unknownKeys error
}

// LeakProfileConfig configures the collection of leak profiles from targets that have them. Each
// forces a garbage collection in the target, and stops its world for 0.3 to 0.4 µs per goroutine
// (Go 1.26.8, two cores).
type LeakProfileConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Interval is the minimum time between two leak profiles of a target.
	Interval time.Duration `mapstructure:"interval"`
	// MaxGoroutines is the maximum number of goroutines in a target. With more, no leak profile
	// is taken.
	MaxGoroutines int `mapstructure:"max_goroutines"`
}

// OriginsConfig configures the traces of targets in which goroutines accumulate. They show what
// starts the goroutines, and what wakes the ones that end.
type OriginsConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Duration is the duration of the first trace for a group. Later traces take up to five
	// times as long.
	Duration time.Duration `mapstructure:"duration"`
	// MaxSize is the maximum size of a trace, in bytes.
	MaxSize int `mapstructure:"max_size"`
	// Budget is how much CPU the traces of a process may use on average, in cores, in the
	// process and the collector together.
	Budget float64 `mapstructure:"budget"`
}

// TargetConfig is a process to scrape. Its keys override the keys of the receiver; its
// attributes are merged with the attributes of the receiver.
type TargetConfig struct {
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	ServiceName  string                  `mapstructure:"service_name"`
	Attributes   map[string]string       `mapstructure:"attributes"`
	Capture      Capture                 `mapstructure:"capture"`

	// raw is the user's configuration, until the receiver's settings are known.
	raw *confmap.Conf
	// unknownKeys is an error for Validate, or nil.
	unknownKeys error
}

var (
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Unmarshaler = (*TargetConfig)(nil)
)

// defaultClientConfig returns the defaults of the HTTP clients, of targets and of servers with
// lists of targets.
func defaultClientConfig() confighttp.ClientConfig {
	client := confighttp.NewDefaultClientConfig()
	// Without a timeout, the default of http.Client, a hung target would block forever.
	client.Timeout = 10 * time.Second
	// A single request at a time gains nothing from HTTP/2, and CloseIdleConnections does not
	// close the connection of a stream that Shutdown has canceled.
	client.ForceAttemptHTTP2 = false
	// Each target has a connection. The pool bounds how many are kept alive.
	client.MaxIdleConns = 0 //nolint:staticcheck // confighttp has its defaults in the deprecated fields itself
	return client
}

func createDefaultConfig() component.Config {
	return &Config{
		ClientConfig:         defaultClientConfig(),
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		CollectionInterval:   time.Minute,
		// Reading and decoding takes milliseconds. The limit matters if many responses are
		// slow or large at once.
		MaxConcurrentScrapes: 32,
		// A trace has some 17 bytes per goroutine: enough for more than a million.
		MaxBodySize: 32 << 20,
		// Longer than nearly every request, and short compared with the time until a leak is
		// detected.
		AgedAfter: 10 * time.Minute,
		// Large services have some hundreds of distinct stacks, most of them with a goroutine
		// or two.
		MaxSignatures: 200,
		Capture:       CaptureAuto,
		LeakProfile: LeakProfileConfig{
			Interval: 10 * time.Minute,
			// Stops the world for some 40 ms.
			MaxGoroutines: 100_000,
		},
		Origins: OriginsConfig{
			Enabled:  true,
			Duration: scout.DefaultDuration,
			MaxSize:  scout.DefaultMaxSize,
			Budget:   scout.DefaultBudget,
		},
		Shard: ShardConfig{Index: noShard},
	}
}

// Unmarshal unmarshals the receiver's settings first, then each target with these as defaults.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if _, isBool := conf.Get("leak_profile").(bool); isBool {
		return errLeakProfile
	}
	if _, isBool := conf.Get("origins").(bool); isBool {
		return errOrigins
	}
	c.unknownKeys = refuseUnknownKeys(conf, reflect.TypeFor[Config]())
	if err := errors.Join(
		refuseUnknownBelow(conf, "origins", &OriginsConfig{}),
		refuseUnknownBelow(conf, "leak_profile", &LeakProfileConfig{}),
		refuseUnknownBelow(conf, "shard", &ShardConfig{}),
		refuseUnknownBelow(conf, "metrics", &metadata.MetricsConfig{}),
		refuseUnknownBelow(conf, "resource_attributes", &metadata.ResourceAttributesConfig{}),
	); err != nil {
		return err
	}
	if err := conf.Unmarshal(c); err != nil {
		return err
	}
	for i := range c.Targets {
		raw := c.Targets[i].raw
		c.Targets[i] = c.target()
		if raw == nil {
			continue
		}
		c.Targets[i].unknownKeys = refuseUnknownKeys(raw, reflect.TypeFor[TargetConfig]())
		if err := raw.Unmarshal(&c.Targets[i]); err != nil {
			return fmt.Errorf("targets[%d]: %w", i, err)
		}
		c.Targets[i].Attributes = merged(c.Attributes, c.Targets[i].Attributes)
	}
	return nil
}

// Unmarshal keeps conf for Config.Unmarshal, which knows the defaults.
func (t *TargetConfig) Unmarshal(conf *confmap.Conf) error {
	t.raw = conf
	return nil
}

// target returns a target with the receiver's settings.
func (c *Config) target() TargetConfig {
	t := TargetConfig{
		ClientConfig: c.ClientConfig,
		ServiceName:  c.ServiceName,
		Capture:      c.Capture,
	}
	t.ClientConfig.Endpoint = ""
	return t
}

func merged(base, overrides map[string]string) map[string]string {
	m := maps.Clone(base)
	if m == nil {
		return overrides
	}
	maps.Copy(m, overrides)
	return m
}

// targets returns all configured targets, including the short form of a single target.
func (c *Config) targets() []TargetConfig {
	if c.ClientConfig.Endpoint == "" {
		return c.Targets
	}
	single := c.target()
	single.ClientConfig.Endpoint = c.ClientConfig.Endpoint
	single.Attributes = c.Attributes
	return []TargetConfig{single}
}

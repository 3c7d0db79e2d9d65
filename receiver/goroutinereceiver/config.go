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

// Capture is how a target's goroutines are read.
type Capture string

// The captures that there are.
const (
	// CaptureAuto takes an execution trace, and a goroutine profile where no
	// trace can be had.
	CaptureAuto Capture = "auto"
	// CaptureTrace takes an execution trace only.
	CaptureTrace Capture = "trace"
	// CaptureProfile takes a goroutine profile only: counts, no census.
	CaptureProfile Capture = "profile"
)

// Config is the configuration of the receiver. What it says of HTTP, of the
// service and of the capture holds for every target that does not say otherwise.
type Config struct {
	// ClientConfig is how targets are reached. Its endpoint is the short form
	// of a single target.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// MetricsBuilderConfig switches metrics and resource attributes on and off.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// CollectionInterval is the time from one scrape of a target to its next.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
	// MaxConcurrentScrapes is how many answers are read and decoded at once, by all
	// receivers of a factory together: the smallest holds for all.
	MaxConcurrentScrapes int `mapstructure:"max_concurrent_scrapes"`
	// MaxBodySize is the largest answer that is read, in bytes, decompressed.
	MaxBodySize int `mapstructure:"max_body_size"`
	// AgedAfter is how long ago a goroutine must have been seen first to be
	// counted as aged. Age bands begin at 1, 8, 32 and 64 times that.
	AgedAfter time.Duration `mapstructure:"aged_after"`
	// MaxSignatures is how many groups, and how many entries, are reported of
	// a process one by one; the rest is summed up as "other".
	MaxSignatures int `mapstructure:"max_signatures"`
	// Capture is how goroutines are read: auto, trace or profile.
	Capture Capture `mapstructure:"capture"`
	// LeakProfile is whether and how the runtime's own proof is collected.
	LeakProfile LeakProfileConfig `mapstructure:"leak_profile"`
	// Origins is whether and how it is learned where goroutines that gather come from.
	Origins OriginsConfig `mapstructure:"origins"`
	// AllowLinkLocal names the hosts, as in their endpoints, that may have a
	// link-local address.
	AllowLinkLocal []string `mapstructure:"allow_link_local"`
	// ServiceName is the service.name of the target.
	ServiceName string `mapstructure:"service_name"`
	// Attributes are added to the resource of every target.
	Attributes map[string]string `mapstructure:"attributes"`
	// Targets are the processes to scrape, beside those that are discovered.
	Targets []TargetConfig `mapstructure:"targets"`
	// FileSD are files that list targets.
	FileSD []FileSDConfig `mapstructure:"file_sd"`
	// HTTPSD are servers that list targets.
	HTTPSD []HTTPSDConfig `mapstructure:"http_sd"`
	// DNS are names whose records are targets.
	DNS []DNSConfig `mapstructure:"dns"`
	// TargetAllocator is the allocator that assigns targets to the collector.
	TargetAllocator TargetAllocatorConfig `mapstructure:"target_allocator"`
	// Shard is which share of all targets is scraped.
	Shard ShardConfig `mapstructure:"shard"`
}

// LeakProfileConfig is how the leak profiles of targets are collected, where they
// have one. Each forces a cycle of the target's garbage collector, and stops its
// world for 0.3 to 0.4 µs a goroutine (Go 1.26.8, two cores).
type LeakProfileConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Interval is the shortest time from one leak profile of a target to its
	// next.
	Interval time.Duration `mapstructure:"interval"`
	// MaxGoroutines is the most goroutines with which a leak profile is taken.
	MaxGoroutines int `mapstructure:"max_goroutines"`
}

// OriginsConfig is how traces are taken of targets in which goroutines gather, to learn what
// starts them and what wakes those that end.
type OriginsConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Duration is that of the first trace for a group. Later ones take up to five times as
	// long.
	Duration time.Duration `mapstructure:"duration"`
	// MaxSize is the largest trace that is read, in bytes.
	MaxSize int `mapstructure:"max_size"`
	// Budget is how much of a core the traces of a process may cost on average, there and
	// here together.
	Budget float64 `mapstructure:"budget"`
}

// TargetConfig is one process to scrape. A key that it sets takes the place of
// the receiver's; its attributes join the receiver's.
type TargetConfig struct {
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	ServiceName  string                  `mapstructure:"service_name"`
	Attributes   map[string]string       `mapstructure:"attributes"`
	Capture      Capture                 `mapstructure:"capture"`

	// given is what the user wrote, until the receiver's settings are known.
	given *confmap.Conf
}

var (
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Unmarshaler = (*TargetConfig)(nil)
)

// defaultClientConfig is how targets are reached, and servers that list targets.
func defaultClientConfig() confighttp.ClientConfig {
	client := confighttp.NewDefaultClientConfig()
	// The default of http.Client, none, would let a hung target hang for ever.
	client.Timeout = 10 * time.Second
	// One request at a time gains nothing from HTTP/2, and a stream that is
	// broken off by Shutdown keeps its connection, which CloseIdleConnections
	// then passes over.
	client.ForceAttemptHTTP2 = false
	// Each target has a connection. How many are kept alive is for the pool to bound.
	client.MaxIdleConns = 0 //nolint:staticcheck // confighttp has its defaults in the deprecated fields itself
	return client
}

func createDefaultConfig() component.Config {
	return &Config{
		ClientConfig:         defaultClientConfig(),
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		CollectionInterval:   time.Minute,
		// Reading and decoding is work of milliseconds. The bound matters when
		// many answers are slow or large at once.
		MaxConcurrentScrapes: 32,
		// A trace takes some 17 bytes a goroutine: room for a process of more
		// than a million.
		MaxBodySize: 32 << 20,
		// Longer than nearly every request lives, and short beside the time
		// that it takes to tell a leak.
		AgedAfter: 10 * time.Minute,
		// Large services have some hundreds of distinct stacks, most of them
		// with a goroutine or two.
		MaxSignatures: 200,
		Capture:       CaptureAuto,
		LeakProfile: LeakProfileConfig{
			Interval: 10 * time.Minute,
			// Their world stands still for some 40 ms.
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

// Unmarshal reads the receiver's settings first, and each target on top of them.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if _, isBool := conf.Get("leak_profile").(bool); isBool {
		return errLeakProfile
	}
	if _, isBool := conf.Get("origins").(bool); isBool {
		return errOrigins
	}
	if err := errors.Join(
		refuseUnknownKeys(conf, reflect.TypeFor[Config]()),
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
		given := c.Targets[i].given
		c.Targets[i] = c.target()
		if given == nil {
			continue
		}
		if err := errors.Join(
			refuseUnknownKeys(given, reflect.TypeFor[TargetConfig]()),
			given.Unmarshal(&c.Targets[i]),
		); err != nil {
			return fmt.Errorf("targets[%d]: %w", i, err)
		}
		c.Targets[i].Attributes = merged(c.Attributes, c.Targets[i].Attributes)
	}
	return nil
}

// Unmarshal keeps what the user wrote for Config.Unmarshal, which knows what it
// stands upon.
func (t *TargetConfig) Unmarshal(conf *confmap.Conf) error {
	t.given = conf
	return nil
}

// target is a target that says nothing of its own.
func (c *Config) target() TargetConfig {
	t := TargetConfig{
		ClientConfig: c.ClientConfig,
		ServiceName:  c.ServiceName,
		Capture:      c.Capture,
	}
	t.ClientConfig.Endpoint = ""
	return t
}

func merged(base, over map[string]string) map[string]string {
	m := maps.Clone(base)
	if m == nil {
		return over
	}
	maps.Copy(m, over)
	return m
}

// targets returns all targets, the short form of a single one included.
func (c *Config) targets() []TargetConfig {
	if c.ClientConfig.Endpoint == "" {
		return c.Targets
	}
	single := c.target()
	single.ClientConfig.Endpoint = c.ClientConfig.Endpoint
	single.Attributes = c.Attributes
	return []TargetConfig{single}
}

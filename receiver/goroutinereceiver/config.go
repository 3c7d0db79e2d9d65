package goroutinereceiver

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

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
	// MaxConcurrentScrapes is how many answers are read and decoded at once.
	MaxConcurrentScrapes int `mapstructure:"max_concurrent_scrapes"`
	// MaxBodySize is the largest answer that is read, in bytes, decompressed.
	MaxBodySize int `mapstructure:"max_body_size"`
	// AgedAfter is how long ago a goroutine must have been seen first to be
	// counted as aged.
	AgedAfter time.Duration `mapstructure:"aged_after"`
	// MaxSignatures is how many groups, and how many entries, are reported of
	// a process one by one; the rest is summed up as "other".
	MaxSignatures int `mapstructure:"max_signatures"`
	// Capture is how goroutines are read: auto, trace or profile.
	Capture Capture `mapstructure:"capture"`
	// ServiceName is the service.name of the target.
	ServiceName string `mapstructure:"service_name"`
	// Attributes are added to the resource of every target.
	Attributes map[string]string `mapstructure:"attributes"`
	// Targets are the processes to scrape.
	Targets []TargetConfig `mapstructure:"targets"`
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

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	// The default of http.Client, none, would let a hung target hang for ever.
	client.Timeout = 10 * time.Second
	return &Config{
		ClientConfig:         client,
		MetricsBuilderConfig: metadata.DefaultMetricsBuilderConfig(),
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
	}
}

// Unmarshal reads the receiver's settings first, and each target on top of them.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := conf.Unmarshal(c); err != nil {
		return err
	}
	for i := range c.Targets {
		given := c.Targets[i].given
		c.Targets[i] = c.target()
		if given == nil {
			continue
		}
		if err := given.Unmarshal(&c.Targets[i]); err != nil {
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

var (
	errNoTarget        = errors.New(`"targets" is empty and there is no "endpoint": there is nothing to scrape`)
	errTwoForms        = errors.New(`"endpoint" and "targets" are both set: "endpoint" is the short form of a single target`)
	errInterval        = errors.New(`"collection_interval" must be above 0`)
	errTimeout         = errors.New(`"timeout" must be above 0`)
	errMaxConcurrent   = errors.New(`"max_concurrent_scrapes" must be above 0`)
	errMaxBodySize     = errors.New(`"max_body_size" must be above 0, in bytes`)
	errAgedAfter       = errors.New(`"aged_after" must be above 0`)
	errMaxSignatures   = errors.New(`"max_signatures" must be above 0`)
	errCapture         = errors.New(`"capture" must be auto, trace or profile`)
	errEndpointMissing = errors.New(`"endpoint" is required`)
	errTargetTwice     = errors.New(`"targets" has an endpoint twice`)
)

// Validate checks what no target can say better. Each target is validated by
// itself.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, err error) {
		if !ok {
			errs = append(errs, err)
		}
	}
	check(c.CollectionInterval > 0, errInterval)
	check(c.MaxConcurrentScrapes > 0, errMaxConcurrent)
	check(c.MaxBodySize > 0, errMaxBodySize)
	check(c.AgedAfter > 0, errAgedAfter)
	check(c.MaxSignatures > 0, errMaxSignatures)
	check(c.ClientConfig.Endpoint != "" || len(c.Targets) > 0, errNoTarget)
	check(c.ClientConfig.Endpoint == "" || len(c.Targets) == 0, errTwoForms)
	if c.ClientConfig.Endpoint != "" {
		single := c.targets()[0]
		errs = append(errs, single.Validate())
	}
	errs = append(errs, c.validateDistinct())
	return errors.Join(errs...)
}

// validateDistinct refuses to scrape one process as two, which would double
// every sum.
func (c *Config) validateDistinct() error {
	var errs []error
	first := map[string]int{}
	for i, t := range c.Targets {
		address, err := parseEndpoint(t.ClientConfig.Endpoint)
		if err != nil {
			continue // the target's own Validate says so
		}
		if before, twice := first[address.String()]; twice {
			errs = append(errs, fmt.Errorf("%w: targets %d and %d are both %s", errTargetTwice, before, i, address.Redacted()))
			continue
		}
		first[address.String()] = i
	}
	return errors.Join(errs...)
}

// Validate checks one target.
func (t *TargetConfig) Validate() error {
	var errs []error
	if _, err := parseEndpoint(t.ClientConfig.Endpoint); err != nil {
		errs = append(errs, err)
	}
	if t.ClientConfig.Timeout <= 0 {
		errs = append(errs, errTimeout)
	}
	switch t.Capture {
	case CaptureAuto, CaptureTrace, CaptureProfile:
	default:
		errs = append(errs, fmt.Errorf("%w, not %q", errCapture, t.Capture))
	}
	return errors.Join(errs...)
}

package leakpage

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// Config configures the exporter.
type Config struct {
	// Server configures the HTTP server.
	Server confighttp.ServerConfig `mapstructure:",squash"`
	// AllowedHosts are the hosts, in addition to loopback addresses, that a request may have.
	// Without this check, another web page could read this one by DNS rebinding.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
	// Storage names the storage extension that keeps the state. Without one, the state is lost
	// in a restart.
	Storage *component.ID `mapstructure:"storage"`
	// SourceURL is the template of links to source lines of services.
	SourceURL string `mapstructure:"source_url"`
	// RunbookURL is the URL of the folder that has docs/leaks of this project.
	RunbookURL string `mapstructure:"runbook_url"`

	// AgedAfter is the value of the receiver, MinDuration and MaxLifetime are the values of
	// leak_detect. They determine which leaks a page without findings excludes.
	AgedAfter   time.Duration `mapstructure:"aged_after"`
	MinDuration time.Duration `mapstructure:"min_duration"`
	MaxLifetime time.Duration `mapstructure:"max_lifetime"`

	// GoroutineLimit and MemoryLimitMiB are what an instance must not exceed; 0 if unknown.
	GoroutineLimit int   `mapstructure:"goroutine_limit"`
	MemoryLimitMiB int64 `mapstructure:"memory_limit_mib"`

	// MaxStale is the time without data after which a leak ends. It should be the value of
	// leak_detect.
	MaxStale time.Duration `mapstructure:"max_stale"`
	// MaxFindings, MaxInstances and MaxGroups bound the state.
	MaxFindings  int `mapstructure:"max_findings"`
	MaxInstances int `mapstructure:"max_instances"`
	MaxGroups    int `mapstructure:"max_groups"`
}

// The defaults. The port is LEAK on the keys of a telephone; no other component of a collector
// uses it.
const (
	defaultEndpoint     = "localhost:5325"
	defaultAgedAfter    = 10 * time.Minute
	defaultMinDuration  = 30 * time.Minute
	defaultMaxLifetime  = 12 * time.Hour
	defaultMaxStale     = 24 * time.Hour
	defaultMaxFindings  = 1000
	defaultMaxInstances = 20_000
	defaultMaxGroups    = 20_000
)

func defaultConfig() *Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	return &Config{
		Server:       server,
		RunbookURL:   page.DefaultRepositoryURL,
		AgedAfter:    defaultAgedAfter,
		MinDuration:  defaultMinDuration,
		MaxLifetime:  defaultMaxLifetime,
		MaxStale:     defaultMaxStale,
		MaxFindings:  defaultMaxFindings,
		MaxInstances: defaultMaxInstances,
		MaxGroups:    defaultMaxGroups,
	}
}

// The errors of Validate.
var (
	errEndpoint     = errors.New("'endpoint' must be set, as host:port")
	errAllowedHosts = errors.New("'allowed_hosts' must be names or addresses, with or without a port, not URLs")
	errSourceURL    = errors.New("'source_url' must be an https URL, with {file}, {base}, {package}, {line}, {revision}, {version} or {service} in its path")
	errRunbookURL   = errors.New("'runbook_url' must be an https URL")
	errAgedAfter    = errors.New("'aged_after' must be at least 100ms; a number needs a unit, such as 10m")
	errMinDuration  = errors.New("'min_duration' must be at least 1s; a number needs a unit, such as 30m")
	errMaxLifetime  = errors.New("'max_lifetime' must be at least 1s; a number needs a unit, such as 12h")
	errLimits       = errors.New("'goroutine_limit' and 'memory_limit_mib' must be at least 0")
	errMaxStale     = errors.New("'max_stale' must be at least 10m, or a leak would end between two scrapes")
	errMaxFindings  = errors.New("'max_findings' must be at least 1")
	errMaxInstances = errors.New("'max_instances' must be at least 1")
	errMaxGroups    = errors.New("'max_groups' must be at least 1")
)

const minMaxStale = 10 * time.Minute

// Validate returns all errors in the configuration, joined.
func (c *Config) Validate() error {
	var errs []error
	for _, rule := range []struct {
		broken bool
		err    error
	}{
		{c.Server.NetAddr.Endpoint == "", errEndpoint},
		{!areHosts(c.AllowedHosts), errAllowedHosts},
		{c.SourceURL != "" && !isSecure(c.SourceURL), errSourceURL},
		{!isSecure(c.RunbookURL), errRunbookURL},
		{c.AgedAfter < 100*time.Millisecond, errAgedAfter},
		{c.MinDuration < time.Second, errMinDuration},
		{c.MaxLifetime < time.Second, errMaxLifetime},
		{c.GoroutineLimit < 0 || c.MemoryLimitMiB < 0, errLimits},
		{c.MaxStale < minMaxStale, errMaxStale},
		{c.MaxFindings < 1, errMaxFindings},
		{c.MaxInstances < 1, errMaxInstances},
		{c.MaxGroups < 1, errMaxGroups},
	} {
		if rule.broken {
			errs = append(errs, rule.err)
		}
	}
	return errors.Join(errs...)
}

func areHosts(names []string) bool {
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "/*@ ") {
			return false
		}
	}
	return true
}

// isSecure reports whether a text is an https URL whose host has no placeholder.
func isSecure(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && !strings.ContainsAny(u.Host, "{}")
}

func (c *Config) newAggregator() *page.Aggregator {
	return page.NewAggregator(page.Config{
		Findings: finding.Config{
			GoroutineLimit: c.GoroutineLimit, MemoryLimit: c.MemoryLimitMiB << 20,
			MaxStale: c.MaxStale, MaxFindings: c.MaxFindings, MaxProcesses: c.MaxInstances,
		},
		History:  history.Config{MaxInstances: c.MaxInstances, MaxGroups: c.MaxGroups, MaxSeries: 2 * c.MaxGroups},
		Detector: page.Detector{AgedAfter: c.AgedAfter, MinDuration: c.MinDuration, MaxLifetime: c.MaxLifetime},
	})
}

func (c *Config) options() page.Options {
	return page.Options{RepositoryURL: c.RunbookURL, Source: page.Source{Template: c.SourceURL}}
}

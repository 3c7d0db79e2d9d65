package leakevents

import (
	"errors"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Config configures the connector.
type Config struct {
	// Storage names the storage extension that keeps the state. Without one, the connector
	// detects all leaks again after a restart.
	Storage *component.ID `mapstructure:"storage"`
	// MaxStale is the time without data after which a leak ends. It should be the value of
	// leak_detect.
	MaxStale time.Duration `mapstructure:"max_stale"`
	// MaxFindings limits the leaks in the state, those that are over included.
	MaxFindings int `mapstructure:"max_findings"`
	// MaxProcesses limits the processes in the state.
	MaxProcesses int `mapstructure:"max_processes"`
	// GoroutineLimit and MemoryLimitMiB are what an instance must not exceed. If 0, the limit
	// is GOMEMLIMIT, or where earlier processes of the version ended.
	GoroutineLimit int   `mapstructure:"goroutine_limit"`
	MemoryLimitMiB int64 `mapstructure:"memory_limit_mib"`
	// RunbookURL is the URL of the folder that holds docs/leaks of this project.
	RunbookURL string `mapstructure:"runbook_url"`
}

// The defaults. A finding takes some 2 KiB, and a process 600 bytes: 15 MB at the limits.
const (
	defaultMaxStale     = 24 * time.Hour
	defaultMaxFindings  = 1000
	defaultMaxProcesses = 20_000
	defaultRunbookURL   = "https://github.com/otel-goroutine/otel-goroutine/blob/main"
)

func defaultConfig() *Config {
	return &Config{
		MaxStale:     defaultMaxStale,
		MaxFindings:  defaultMaxFindings,
		MaxProcesses: defaultMaxProcesses,
		RunbookURL:   defaultRunbookURL,
	}
}

// The errors of Validate.
var (
	errMaxStale     = errors.New("'max_stale' must be at least 10m, or a leak would end between two scrapes")
	errMaxFindings  = errors.New("'max_findings' must be at least 1")
	errMaxProcesses = errors.New("'max_processes' must be at least 1")
	errLimit        = errors.New("'goroutine_limit' must not be negative")
	errMemoryLimit  = errors.New("'memory_limit_mib' must be at least 0, and at most 1073741824 (1 PiB)")
	errRunbookURL   = errors.New("'runbook_url' must be an http or https URL")
)

// maxMiB is more than any machine has, and small enough to be converted to bytes.
const maxMiB = 1 << 30

const minMaxStale = 10 * time.Minute

// Validate returns all errors in the configuration, joined.
func (c *Config) Validate() error {
	u, err := url.Parse(c.RunbookURL)
	isURL := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	var errs []error
	for _, rule := range []struct {
		broken bool
		err    error
	}{
		{c.MaxStale < minMaxStale, errMaxStale},
		{c.MaxFindings < 1, errMaxFindings},
		{c.MaxProcesses < 1, errMaxProcesses},
		{c.GoroutineLimit < 0, errLimit},
		{c.MemoryLimitMiB < 0 || c.MemoryLimitMiB > maxMiB, errMemoryLimit},
		{!isURL, errRunbookURL},
	} {
		if rule.broken {
			errs = append(errs, rule.err)
		}
	}
	return errors.Join(errs...)
}

func (c *Config) newTracker() *finding.Tracker {
	return finding.NewTracker(finding.Config{
		MaxStale: c.MaxStale, MaxFindings: c.MaxFindings, MaxProcesses: c.MaxProcesses,
		GoroutineLimit: c.GoroutineLimit, MemoryLimit: c.MemoryLimitMiB << 20,
	})
}

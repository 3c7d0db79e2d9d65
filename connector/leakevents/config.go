package leakevents

import (
	"errors"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Config tells what the metrics cannot, and bounds what is remembered.
type Config struct {
	// Storage is the extension in which is kept what is remembered. Without one, a restart
	// forgets all leaks, and detects them again.
	Storage *component.ID `mapstructure:"storage"`
	// MaxStale is after how long without data a leak ends. It should be that of leak_detect.
	MaxStale time.Duration `mapstructure:"max_stale"`
	// MaxFindings is how many leaks are remembered at most, those that are over included.
	MaxFindings int `mapstructure:"max_findings"`
	// MaxProcesses is how many processes are remembered at most.
	MaxProcesses int `mapstructure:"max_processes"`
	// RunbookURL is where the folder docs/leaks of this project is found.
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

// What can be wrong with a configuration.
var (
	errMaxStale     = errors.New("'max_stale' must be at least 10m, or a leak would end between two scrapes")
	errMaxFindings  = errors.New("'max_findings' must be at least 1")
	errMaxProcesses = errors.New("'max_processes' must be at least 1")
	errRunbookURL   = errors.New("'runbook_url' must be an http or https URL")
)

const leastMaxStale = 10 * time.Minute

// Validate returns everything that is wrong, joined.
func (c *Config) Validate() error {
	u, err := url.Parse(c.RunbookURL)
	isURL := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	var errs []error
	for _, rule := range []struct {
		broken bool
		err    error
	}{
		{c.MaxStale < leastMaxStale, errMaxStale},
		{c.MaxFindings < 1, errMaxFindings},
		{c.MaxProcesses < 1, errMaxProcesses},
		{!isURL, errRunbookURL},
	} {
		if rule.broken {
			errs = append(errs, rule.err)
		}
	}
	return errors.Join(errs...)
}

func (c *Config) book() *finding.Book {
	return finding.New(finding.Config{MaxStale: c.MaxStale, MaxFindings: c.MaxFindings, MaxProcesses: c.MaxProcesses})
}

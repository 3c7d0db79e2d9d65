// Package settings reads and checks the settings of package instrument.
package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
)

// Settings are what both options and environment variables can choose.
type Settings struct {
	Interval       time.Duration
	AgedAfter      time.Duration
	MaxSignatures  int
	Capture        string
	OverheadBudget float64 // of one core
	MaxGoroutines  int
	LeakProfile    time.Duration // 0 is never
	RuntimeMetrics bool
	ProcessCPUTime bool

	// Traces by which it is learned where goroutines that gather come from.
	Origins         bool
	OriginsDuration time.Duration // of the first trace for a group
	OriginsMaxSize  int           // bytes of a trace
	OriginsBudget   float64       // of one core
}

// Default returns the settings of a service that chooses none.
func Default() Settings {
	return Settings{
		Interval:       time.Minute,
		AgedAfter:      10 * time.Minute,
		MaxSignatures:  200,
		Capture:        "auto",
		OverheadBudget: 0.001,
		MaxGoroutines:  1_000_000,

		OriginsDuration: scout.DefaultDuration,
		OriginsMaxSize:  scout.DefaultMaxSize,
		OriginsBudget:   scout.DefaultBudget,
	}
}

// MaxMaxSignatures keeps the number of attribute sets below the 2,000 at which the
// SDK begins to sum up by itself.
const MaxMaxSignatures = 1000

// MinLeakProfile is the shortest time between two leak profiles. Each forces a
// garbage collection, and a world stop that grows with the goroutines.
const MinLeakProfile = 5 * time.Minute

// Setting is one setting, and how it is chosen.
type Setting struct {
	Option   string // function of package instrument
	Variable string // environment variable

	parse func(s *Settings, text string) error
	check func(s *Settings) error
}

// All returns all settings.
func All() []Setting {
	return []Setting{
		{
			"WithInterval", prefix + "INTERVAL",
			func(s *Settings, text string) error { return parseDuration(&s.Interval, text) },
			func(s *Settings) error { return positive(s.Interval) },
		},
		{
			"WithAgedAfter", prefix + "AGED_AFTER",
			func(s *Settings, text string) error { return parseDuration(&s.AgedAfter, text) },
			func(s *Settings) error { return positive(s.AgedAfter) },
		},
		{
			"WithMaxSignatures", prefix + "MAX_SIGNATURES",
			func(s *Settings, text string) error { return parseInt(&s.MaxSignatures, text) },
			func(s *Settings) error { return within(s.MaxSignatures, 1, MaxMaxSignatures) },
		},
		{
			"WithCapture", prefix + "CAPTURE",
			func(s *Settings, text string) error { s.Capture = text; return nil },
			func(s *Settings) error { return oneOf(s.Capture, "auto", "trace", "profile", "off") },
		},
		{
			"WithOverheadBudget", prefix + "OVERHEAD_BUDGET",
			func(s *Settings, text string) error { return parseFloat(&s.OverheadBudget, text) },
			func(s *Settings) error { return share(s.OverheadBudget) },
		},
		{
			"WithMaxGoroutines", prefix + "MAX_GOROUTINES",
			func(s *Settings, text string) error { return parseInt(&s.MaxGoroutines, text) },
			func(s *Settings) error { return within(s.MaxGoroutines, 1, 1<<31-1) },
		},
		{
			"WithLeakProfile", prefix + "LEAK_PROFILE",
			func(s *Settings, text string) error { return parseDuration(&s.LeakProfile, text) },
			func(s *Settings) error { return rare(s.LeakProfile) },
		},
		{
			"WithRuntimeMetrics", prefix + "RUNTIME_METRICS",
			func(s *Settings, text string) error { return parseBool(&s.RuntimeMetrics, text) },
			unchecked,
		},
		{
			"WithProcessCPUTime", prefix + "PROCESS_CPU_TIME",
			func(s *Settings, text string) error { return parseBool(&s.ProcessCPUTime, text) },
			unchecked,
		},
		{
			"WithOrigins", prefix + "ORIGINS",
			func(s *Settings, text string) error { return parseBool(&s.Origins, text) },
			unchecked,
		},
		{
			"WithOriginsDuration", prefix + "ORIGINS_DURATION",
			func(s *Settings, text string) error { return parseDuration(&s.OriginsDuration, text) },
			func(s *Settings) error { return between(s.OriginsDuration, scout.MinDuration, scout.MaxDuration) },
		},
		{
			"WithOriginsMaxSize", prefix + "ORIGINS_MAX_SIZE",
			func(s *Settings, text string) error { return parseInt(&s.OriginsMaxSize, text) },
			func(s *Settings) error { return within(s.OriginsMaxSize, 1, 1<<31-1) },
		},
		{
			"WithOriginsBudget", prefix + "ORIGINS_BUDGET",
			func(s *Settings, text string) error { return parseFloat(&s.OriginsBudget, text) },
			func(s *Settings) error { return share(s.OriginsBudget) },
		},
	}
}

func unchecked(*Settings) error { return nil }

// Check returns an error that names each option whose value is wrong.
func (s *Settings) Check() error {
	var errs []error
	for _, setting := range All() {
		if err := setting.check(s); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", setting.Option, err))
		}
	}
	return errors.Join(errs...)
}

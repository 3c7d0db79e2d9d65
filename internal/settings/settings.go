// Package settings reads and validates the settings of package instrument.
package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
)

// Settings can be set by options and by environment variables.
type Settings struct {
	Interval       time.Duration
	AgedAfter      time.Duration
	MaxSignatures  int
	Capture        string
	OverheadBudget float64 // of one core
	MaxGoroutines  int
	LeakProfile    time.Duration // 0 means never
	RuntimeMetrics bool
	ProcessCPUTime bool

	// Traces that find out where goroutines come from.
	Origins         bool
	OriginsDuration time.Duration // of the first trace for a group
	OriginsMaxSize  int           // bytes of a trace
	OriginsBudget   float64       // of one core
}

// Default returns the default settings.
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

// MaxMaxSignatures is the highest MaxSignatures. It keeps the number of attribute sets below 2,000, the
// cardinality limit of the SDK.
const MaxMaxSignatures = 1000

// MinLeakProfile is the shortest time between two leak profiles. Each forces a garbage collection, and
// stops the world for a time that grows with the number of goroutines.
const MinLeakProfile = 5 * time.Minute

// Setting is one setting and the ways to set it.
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
			"WithInterval", variablePrefix + "INTERVAL",
			func(s *Settings, text string) error { return parseDuration(&s.Interval, text) },
			func(s *Settings) error { return checkPositive(s.Interval) },
		},
		{
			"WithAgedAfter", variablePrefix + "AGED_AFTER",
			func(s *Settings, text string) error { return parseDuration(&s.AgedAfter, text) },
			func(s *Settings) error { return checkPositive(s.AgedAfter) },
		},
		{
			"WithMaxSignatures", variablePrefix + "MAX_SIGNATURES",
			func(s *Settings, text string) error { return parseInt(&s.MaxSignatures, text) },
			func(s *Settings) error { return checkInt(s.MaxSignatures, 1, MaxMaxSignatures) },
		},
		{
			"WithCapture", variablePrefix + "CAPTURE",
			func(s *Settings, text string) error { s.Capture = text; return nil },
			func(s *Settings) error { return checkOneOf(s.Capture, "auto", "trace", "profile", "off") },
		},
		{
			"WithOverheadBudget", variablePrefix + "OVERHEAD_BUDGET",
			func(s *Settings, text string) error { return parseFloat(&s.OverheadBudget, text) },
			func(s *Settings) error { return checkCoreShare(s.OverheadBudget) },
		},
		{
			"WithMaxGoroutines", variablePrefix + "MAX_GOROUTINES",
			func(s *Settings, text string) error { return parseInt(&s.MaxGoroutines, text) },
			func(s *Settings) error { return checkInt(s.MaxGoroutines, 1, 1<<31-1) },
		},
		{
			"WithLeakProfile", variablePrefix + "LEAK_PROFILE",
			func(s *Settings, text string) error { return parseDuration(&s.LeakProfile, text) },
			func(s *Settings) error { return checkLeakProfile(s.LeakProfile) },
		},
		{
			"WithRuntimeMetrics", variablePrefix + "RUNTIME_METRICS",
			func(s *Settings, text string) error { return parseBool(&s.RuntimeMetrics, text) },
			noCheck,
		},
		{
			"WithProcessCPUTime", variablePrefix + "PROCESS_CPU_TIME",
			func(s *Settings, text string) error { return parseBool(&s.ProcessCPUTime, text) },
			noCheck,
		},
		{
			"WithOrigins", variablePrefix + "ORIGINS",
			func(s *Settings, text string) error { return parseBool(&s.Origins, text) },
			noCheck,
		},
		{
			"WithOriginsDuration", variablePrefix + "ORIGINS_DURATION",
			func(s *Settings, text string) error { return parseDuration(&s.OriginsDuration, text) },
			func(s *Settings) error { return checkDuration(s.OriginsDuration, scout.MinDuration, scout.MaxDuration) },
		},
		{
			"WithOriginsMaxSize", variablePrefix + "ORIGINS_MAX_SIZE",
			func(s *Settings, text string) error { return parseInt(&s.OriginsMaxSize, text) },
			func(s *Settings) error { return checkInt(s.OriginsMaxSize, 1, 1<<31-1) },
		},
		{
			"WithOriginsBudget", variablePrefix + "ORIGINS_BUDGET",
			func(s *Settings, text string) error { return parseFloat(&s.OriginsBudget, text) },
			func(s *Settings) error { return checkCoreShare(s.OriginsBudget) },
		},
	}
}

func noCheck(*Settings) error { return nil }

// Check returns an error that names each option with an invalid value.
func (s *Settings) Check() error {
	var errs []error
	for _, setting := range All() {
		if err := setting.check(s); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", setting.Option, err))
		}
	}
	return errors.Join(errs...)
}

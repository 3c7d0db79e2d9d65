package instrument

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// config is what options and environment choose.
type config struct {
	provider       metric.MeterProvider // nil is the global one
	interval       time.Duration
	agedAfter      time.Duration
	maxSignatures  int
	capture        Capture
	budget         float64 // of one core
	maxGoroutines  int
	leakProfile    time.Duration // 0 is never
	runtimeMetrics bool
}

func defaultConfig() config {
	return config{
		interval:       time.Minute,
		agedAfter:      10 * time.Minute,
		maxSignatures:  200,
		capture:        CaptureAuto,
		budget:         0.001,
		maxGoroutines:  1_000_000,
		runtimeMetrics: true,
	}
}

// prefix is what the names of all our environment variables begin with.
const prefix = "OTEL_GO_GOROUTINE_"

// disabled is the environment variable that switches everything off.
const disabled = prefix + "DISABLED"

// maxMaxSignatures keeps the number of attribute sets below the 2,000 at which the
// SDK begins to sum up by itself.
const maxMaxSignatures = 1000

// setting is what both an option and an environment variable can choose.
type setting struct {
	option   string
	variable string // without the prefix
	// read reads the text of the variable.
	read func(c *config, text string) error
	// check returns what is wrong with the value, if anything is.
	check func(c *config) error
}

var settings = []setting{
	{
		"WithInterval", "INTERVAL",
		func(c *config, text string) error { return readDuration(&c.interval, text) },
		func(c *config) error { return positive(c.interval) },
	},
	{
		"WithAgedAfter", "AGED_AFTER",
		func(c *config, text string) error { return readDuration(&c.agedAfter, text) },
		func(c *config) error { return positive(c.agedAfter) },
	},
	{
		"WithMaxSignatures", "MAX_SIGNATURES",
		func(c *config, text string) error { return readInt(&c.maxSignatures, text) },
		func(c *config) error { return within(c.maxSignatures, 1, maxMaxSignatures) },
	},
	{
		"WithCapture", "CAPTURE",
		func(c *config, text string) error { c.capture = Capture(text); return nil },
		func(c *config) error { return oneOf(c.capture, CaptureAuto, CaptureTrace, CaptureProfile, CaptureOff) },
	},
	{
		"WithOverheadBudget", "OVERHEAD_BUDGET",
		func(c *config, text string) error { return readFloat(&c.budget, text) },
		func(c *config) error { return share(c.budget) },
	},
	{
		"WithMaxGoroutines", "MAX_GOROUTINES",
		func(c *config, text string) error { return readInt(&c.maxGoroutines, text) },
		func(c *config) error { return within(c.maxGoroutines, 1, 1<<31-1) },
	},
	{
		"WithLeakProfile", "LEAK_PROFILE",
		func(c *config, text string) error { return readDuration(&c.leakProfile, text) },
		func(c *config) error { return rare(c.leakProfile) },
	},
	{
		"WithRuntimeMetrics", "RUNTIME_METRICS",
		func(c *config, text string) error { return readBool(&c.runtimeMetrics, text) },
		func(*config) error { return nil },
	},
}

// newConfig merges defaults, environment and options. Its error names every
// variable and option that is wrong, and a variable even if an option overrides it.
func newConfig(getenv func(string) string, options []Option) (config, error) {
	c := defaultConfig()
	var errs []error
	for _, s := range settings {
		if text := getenv(prefix + s.variable); text != "" {
			if err := s.take(&c, text); err != nil {
				errs = append(errs, fmt.Errorf("%s%s is %q: %w", prefix, s.variable, text, err))
			}
		}
	}
	for _, o := range options {
		if o != nil {
			o.apply(&c)
		}
	}
	for _, s := range settings {
		if err := s.check(&c); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.option, err))
		}
	}
	return c, errors.Join(errs...)
}

// take takes the text of the variable into c, unless it is wrong.
func (s *setting) take(c *config, text string) error {
	trial := *c
	if err := s.read(&trial, strings.TrimSpace(text)); err != nil {
		return err
	}
	if err := s.check(&trial); err != nil {
		return err
	}
	*c = trial
	return nil
}

// readDuration reads a duration as Go writes it, or in milliseconds, as
// OpenTelemetry's own variables have it.
func readDuration(to *time.Duration, text string) error {
	if ms, err := strconv.ParseInt(text, 10, 32); err == nil {
		*to = time.Duration(ms) * time.Millisecond
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("not a duration such as 90s or 10m, nor a number of milliseconds")
	}
	*to = d
	return nil
}

func readInt(to *int, text string) (err error) {
	if *to, err = strconv.Atoi(text); err != nil {
		return errors.New("not a whole number")
	}
	return nil
}

func readFloat(to *float64, text string) (err error) {
	if *to, err = strconv.ParseFloat(text, 64); err != nil {
		return errors.New("not a number")
	}
	return nil
}

func readBool(to *bool, text string) error {
	switch strings.ToLower(text) {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		return errors.New("neither true nor false")
	}
	return nil
}

func positive(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%v is not above 0", d)
	}
	return nil
}

func within(n, least, most int) error {
	if n < least || n > most {
		return fmt.Errorf("%d is not from %d to %d", n, least, most)
	}
	return nil
}

// share returns an error unless x can be a share of one core; NaN cannot.
func share(x float64) error {
	if x > 0 && x <= 1 {
		return nil
	}
	return fmt.Errorf("%v is not a share of one core, above 0 and at most 1", x)
}

func rare(every time.Duration) error {
	if every == 0 || every >= minLeakProfile {
		return nil
	}
	return fmt.Errorf("%v is neither 0, which is never, nor %v or more", every, minLeakProfile)
}

func oneOf(capture Capture, all ...Capture) error {
	if slices.Contains(all, capture) {
		return nil
	}
	return fmt.Errorf("%q is not one of %q", capture, all)
}

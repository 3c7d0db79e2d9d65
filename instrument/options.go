package instrument

import (
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Option changes what Start does. An option wins over its environment variable.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithMeterProvider has the metrics go to a MeterProvider other than the global
// one. nil is the global one.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c *config) {
		if provider != nil {
			c.provider = provider
		}
	})
}

// WithInterval sets the time from one sample of the stacks to the next, 60 s by
// default. It is stretched where sampling would exceed its budget. The interval
// at which metrics are exported is the MeterProvider's business, and should not
// be shorter: an export reports the latest sample.
func WithInterval(interval time.Duration) Option {
	return optionFunc(func(c *config) { c.interval = interval })
}

// WithAgedAfter sets how long ago a goroutine must have been seen first to be aged,
// 10 min by default. Age bands begin at 1, 8, 32 and 64 times that.
func WithAgedAfter(age time.Duration) Option {
	return optionFunc(func(c *config) { c.agedAfter = age })
}

// WithMaxSignatures sets how many groups of goroutines, and how many entry
// functions, are reported one by one, 200 by default and 1,000 at most. The rest is
// summed up as "other".
func WithMaxSignatures(n int) Option {
	return optionFunc(func(c *config) { c.maxSignatures = n })
}

// WithCapture chooses where snapshots come from, CaptureAuto by default.
func WithCapture(capture Capture) Option {
	return optionFunc(func(c *config) { c.capture = capture })
}

// WithOverheadBudget sets how much of one core sampling may use, 0.001 by default:
// 60 ms a minute. It does not cover leak profiles.
func WithOverheadBudget(share float64) Option {
	return optionFunc(func(c *config) { c.budget = share })
}

// WithMaxGoroutines sets up to how many goroutines stacks are taken, 1,000,000 by
// default. Above that they are only counted.
func WithMaxGoroutines(n int) Option {
	return optionFunc(func(c *config) { c.maxGoroutines = n })
}

// WithLeakProfile has the runtime's own leak profile collected, at least 5 min
// apart; 0, the default, is never. Each collection forces a cycle of the garbage
// collector and stops the world for about 0.4 µs a goroutine (Go 1.26.8, two
// cores), so none is taken of more than 100,000. Go 1.27 has that profile, and Go
// 1.26 if built with GOEXPERIMENT=goroutineleakprofile; elsewhere the error handler
// is told so once, and the metric is absent.
func WithLeakProfile(every time.Duration) Option {
	return optionFunc(func(c *config) { c.leakProfile = every })
}

// WithRuntimeMetrics sets whether contrib's runtime metrics are started too, which
// is the default. A service that starts them itself would report them doubled.
func WithRuntimeMetrics(start bool) Option {
	return optionFunc(func(c *config) { c.runtimeMetrics = start })
}

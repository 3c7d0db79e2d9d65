package instrument

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// Option configures Start. An option takes precedence over its environment variable.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// config is the result of options and environment.
type config struct {
	settings.Settings
	provider     metric.MeterProvider                // nil means the global one
	handleOrigin func(ctx context.Context, o Origin) // may be nil
}

func defaultConfig() config { return config{Settings: settings.Default()} }

// newConfig merges defaults, environment and options. Its error names every invalid variable,
// even if an option overrides it, and every invalid option.
func newConfig(environ []string, options []Option) (config, error) {
	c := defaultConfig()
	err := c.ReadEnvironment(environ)
	for _, o := range options {
		if o != nil {
			o.apply(&c)
		}
	}
	return c, errors.Join(err, c.Check())
}

func (c *config) isCaptureOff() bool { return Capture(c.Capture) == CaptureOff }

// WithMeterProvider sets the MeterProvider. If nil, the global one is used.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c *config) {
		if provider != nil {
			c.provider = provider
		}
	})
}

// WithInterval sets the time between two samples of the stacks, 60 s by default. It is
// stretched if sampling would exceed its budget. The export interval of the MeterProvider
// should not be shorter, since an export reports the latest sample.
func WithInterval(interval time.Duration) Option {
	return optionFunc(func(c *config) { c.Interval = interval })
}

// WithAgedAfter sets the age from which a goroutine counts as aged, 10 min by default. Age
// bands begin at 1, 8, 32 and 64 times that.
func WithAgedAfter(age time.Duration) Option {
	return optionFunc(func(c *config) { c.AgedAfter = age })
}

// WithMaxSignatures sets how many groups of goroutines, and how many entry functions,
// are reported individually: 200 by default and at most 1,000. The rest is summed as
// "other".
func WithMaxSignatures(n int) Option {
	return optionFunc(func(c *config) { c.MaxSignatures = n })
}

// WithCapture sets how snapshots are taken, CaptureAuto by default.
func WithCapture(capture Capture) Option {
	return optionFunc(func(c *config) { c.Capture = string(capture) })
}

// WithOverheadBudget sets the share of one core that sampling may use, 0.001 by
// default: 60 ms a minute. Leak profiles are not included.
func WithOverheadBudget(share float64) Option {
	return optionFunc(func(c *config) { c.OverheadBudget = share })
}

// WithMaxGoroutines sets the number of goroutines above which no stacks are taken,
// 1,000,000 by default. Goroutines are still counted.
func WithMaxGoroutines(n int) Option {
	return optionFunc(func(c *config) { c.MaxGoroutines = n })
}

// WithLeakProfile collects the runtime's leak profile at this interval, which must be at
// least 5 min; 0, the default, means never. Each collection forces a garbage collection and
// stops the world for about 0.4 µs a goroutine (Go 1.26.8, two cores), so there is none with
// more than 100,000 goroutines. Go 1.27 has this profile, and Go 1.26 if built with
// GOEXPERIMENT=goroutineleakprofile. Without it the metric is absent and otel.Handle receives
// one error.
func WithLeakProfile(every time.Duration) Option {
	return optionFunc(func(c *config) { c.LeakProfile = every })
}

// WithRuntimeMetrics also starts go.opentelemetry.io/contrib/instrumentation/runtime,
// which reports go.goroutine.count, go.memory.used and others. Do not use it if the
// service starts that package itself: its metrics would be reported twice.
func WithRuntimeMetrics() Option {
	return optionFunc(func(c *config) { c.RuntimeMetrics = true })
}

// WithOrigins also takes a longer execution trace when goroutines of a group accumulate, 1.2 s
// at first and up to 6 s later. It shows what starts them, and what wakes their healthy siblings.
// While a trace is taken, runtime/trace.Start and the handler of /debug/pprof/trace return an
// error; a runtime/trace.FlightRecorder does not interfere. There is no trace with more than
// 50,000 goroutines, with more than 5,000 births a second, or with CaptureProfile or CaptureOff.
func WithOrigins() Option {
	return optionFunc(func(c *config) { c.Origins = true })
}

// WithOriginsDuration sets the duration of the first trace for a group, from 100 ms to 10 s,
// 1.2 s by default. Later ones take three and five times as long, but at most half of the
// interval. Only traces of more than a second contain births of coroutines (iter.Pull).
func WithOriginsDuration(d time.Duration) Option {
	return optionFunc(func(c *config) { c.OriginsDuration = d })
}

// WithOriginsMaxSize sets the size, in bytes, at which a trace is aborted: 8 MiB by default.
func WithOriginsMaxSize(bytes int) Option {
	return optionFunc(func(c *config) { c.OriginsMaxSize = bytes })
}

// WithOriginsBudget sets the share of one core that the traces of WithOrigins may use on
// average, 0.0005 by default. They are not included in the budget of WithOverheadBudget.
func WithOriginsBudget(share float64) Option {
	return optionFunc(func(c *config) { c.OriginsBudget = share })
}

// WithOriginHandler sets a function that is called with each new or changed origin, including
// complete stacks, which are too long for metrics. The goroutine that takes the samples calls
// it, so it should return soon. Without WithOrigins it is never called.
func WithOriginHandler(handle func(context.Context, Origin)) Option {
	return optionFunc(func(c *config) { c.handleOrigin = handle })
}

// WithProcessCPUTime also reports process.cpu.time. Do not use it if the service starts
// go.opentelemetry.io/contrib/instrumentation/host, which reports that metric too.
func WithProcessCPUTime() Option {
	return optionFunc(func(c *config) { c.ProcessCPUTime = true })
}

package instrument

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// Option configures Start. An option wins over its environment variable.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// config is what options and environment choose.
type config struct {
	settings.Settings
	provider     metric.MeterProvider                // nil is the global one
	handleOrigin func(ctx context.Context, o Origin) // nil is none
}

func defaultConfig() config { return config{Settings: settings.Default()} }

// newConfig merges defaults, environment and options. Its error names every variable
// and option that is wrong, and a variable even if an option overrides it.
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
// stretched where sampling would exceed its budget. The interval at which metrics are
// exported belongs to the MeterProvider and should not be shorter, since an export
// reports the latest sample.
func WithInterval(interval time.Duration) Option {
	return optionFunc(func(c *config) { c.Interval = interval })
}

// WithAgedAfter sets the age from which on a goroutine counts as aged, 10 min by
// default. Age bands begin at 1, 8, 32 and 64 times that.
func WithAgedAfter(age time.Duration) Option {
	return optionFunc(func(c *config) { c.AgedAfter = age })
}

// WithMaxSignatures sets how many groups of goroutines, and how many entry functions,
// are reported one by one: 200 by default and at most 1,000. The rest is summed up as
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

// WithLeakProfile collects the runtime's own leak profile at this interval, which must
// be at least 5 min; 0, the default, is never. Each collection forces a garbage
// collection and stops the world for about 0.4 µs a goroutine (Go 1.26.8, two cores), so
// none is taken of more than 100,000 goroutines. Go 1.27 has this profile, and Go 1.26 if
// built with GOEXPERIMENT=goroutineleakprofile. Without it the metric is absent and
// otel.Handle receives an error, once.
func WithLeakProfile(every time.Duration) Option {
	return optionFunc(func(c *config) { c.LeakProfile = every })
}

// WithRuntimeMetrics also starts go.opentelemetry.io/contrib/instrumentation/runtime,
// which reports go.goroutine.count, go.memory.used and others. Do not use it if the
// service starts that package itself: its metrics would be reported twice.
func WithRuntimeMetrics() Option {
	return optionFunc(func(c *config) { c.RuntimeMetrics = true })
}

// WithOrigins also takes a longer execution trace when goroutines of a group gather, 1.2 s at
// first and up to 6 s later. It tells what starts them, and what wakes those of their kind that
// end. While a trace is taken, runtime/trace.Start and the handler of /debug/pprof/trace return
// an error; a runtime/trace.FlightRecorder does not interfere. No trace is taken of more than
// 50,000 goroutines, or where more than 5,000 start in a second, and none with CaptureProfile
// and CaptureOff.
func WithOrigins() Option {
	return optionFunc(func(c *config) { c.Origins = true })
}

// WithOriginsDuration sets the duration of the first trace for a group, 1.2 s by default, from
// 100 ms to 10 s. Later ones take three and five times as long, and none more than half of the
// interval. The birth of a coroutine (iter.Pull) is seen by traces of more than a second only.
func WithOriginsDuration(d time.Duration) Option {
	return optionFunc(func(c *config) { c.OriginsDuration = d })
}

// WithOriginsMaxSize sets the size at which a trace is ended and given up, in bytes: 8 MiB by
// default.
func WithOriginsMaxSize(bytes int) Option {
	return optionFunc(func(c *config) { c.OriginsMaxSize = bytes })
}

// WithOriginsBudget sets the share of one core that the traces of WithOrigins may use on
// average, 0.0005 by default. They are not included in the budget of WithOverheadBudget.
func WithOriginsBudget(share float64) Option {
	return optionFunc(func(c *config) { c.OriginsBudget = share })
}

// WithOriginHandler sets a function that is called whenever something new is learned of an
// origin, with the whole stacks, for which metrics have no room. It is called by the goroutine
// that takes the samples, so it should return soon. Without WithOrigins it is never called.
func WithOriginHandler(handle func(context.Context, Origin)) Option {
	return optionFunc(func(c *config) { c.handleOrigin = handle })
}

// WithProcessCPUTime also reports process.cpu.time. Do not use it if the service starts
// go.opentelemetry.io/contrib/instrumentation/host, which reports that metric too.
func WithProcessCPUTime() Option {
	return optionFunc(func(c *config) { c.ProcessCPUTime = true })
}

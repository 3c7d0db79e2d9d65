// Package auto instruments a service that imports it, and needs nothing else:
//
//	import _ "github.com/otel-goroutine/otel-goroutine/instrument/auto"
//
// It reports what package instrument reports, and reads the same environment variables.
// If the service sets a MeterProvider (otel.SetMeterProvider), that is used. If it has
// set none after ten seconds, one is created for these metrics alone, from the standard
// variables: OTEL_METRICS_EXPORTER (otlp by default), OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_METRIC_EXPORT_INTERVAL, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and so on. It
// is shut down when the service sets one later. Only the MeterProvider created here gets
// the metrics of WithRuntimeMetrics and WithProcessCPUTime, since the service may report
// them to its own.
//
// With OTEL_GO_GOROUTINE_ORIGINS=true, log records of the event goroutine.origin say where
// goroutines that gather come from, with whole stacks. They go to the global LoggerProvider if
// the service has set one. If it has set neither that nor a MeterProvider, a LoggerProvider is
// created as well, from OTEL_LOGS_EXPORTER (otlp by default) and the variables of OTLP.
//
// One line on standard error says where the metrics go. OTEL_LOG_LEVEL=warn silences
// it. Errors go to otel.Handle; those of environment variables at once.
//
// The global MeterProvider is never changed. OTEL_SDK_DISABLED=true and
// OTEL_GO_GOROUTINE_DISABLED=true switch everything off. A service that calls
// instrument.Start needs no import of this package; if it has one, its call must come
// within the ten seconds.
//
// When go test runs the process, the import does nothing, so that goleak finds no
// goroutine of it. A test that wants these metrics calls instrument.Start.
package auto

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// patience is how long the service has to set a MeterProvider. Services do it at
// the beginning of main, some after they have read their configuration from
// elsewhere.
const patience = 10 * time.Second

var running = beginUnlessTested()

// Shutdown exports what has been measured since the last export, ends the
// instrumentation, and returns when it has ended, or with an error when ctx does.
// Services call it to have their last interval exported. It is idempotent.
func Shutdown(ctx context.Context) error { return running.shutdown(ctx) }

func beginUnlessTested() *instrumentation {
	if isTest(os.Args) {
		return notRunning()
	}
	return begin(patience)
}

// isTest reports whether go test runs this process, which it does with flags of package
// testing. testing.Testing would know, but a service is not to link that package.
func isTest(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-test.") })
}

// begin starts the instrumentation, unless the environment switches it off or is wrong.
func begin(patience time.Duration) *instrumentation {
	off, err := isDisabled()
	if err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	if off || err != nil {
		return notRunning()
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &instrumentation{cancel: cancel, ended: make(chan struct{})}
	if err := guard(func() error { i.global = newGlobal(); return nil }); err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	go i.run(ctx, patience)
	return i
}

// notRunning returns an instrumentation that has ended.
func notRunning() *instrumentation {
	i := &instrumentation{cancel: func() {}, ended: make(chan struct{})}
	close(i.ended)
	return i
}

// isDisabled reports whether the environment switches everything off, and what is wrong
// with it.
func isDisabled() (off bool, err error) {
	if strings.EqualFold(strings.TrimSpace(os.Getenv("OTEL_SDK_DISABLED")), "true") {
		return true, nil
	}
	if off, err = settings.IsDisabled(os.Environ()); off || err != nil {
		return off, err
	}
	s := settings.Default()
	return false, s.ReadEnvironment(os.Environ())
}

// Package auto instruments a service that imports it:
//
//	import _ "github.com/otel-goroutine/otel-goroutine/instrument/auto"
//
// It reports the metrics of package instrument, and reads the same environment variables. If
// the service sets a MeterProvider (otel.SetMeterProvider), that is used. If it has set none
// after ten seconds, one is created for these metrics only, from the standard variables:
// OTEL_METRICS_EXPORTER (otlp by default), OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_METRIC_EXPORT_INTERVAL, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and so on. It is
// shut down if the service sets one later. Only the MeterProvider created here gets the
// metrics of WithRuntimeMetrics and WithProcessCPUTime, since the service may report them to
// its own.
//
// With OTEL_GO_GOROUTINE_ORIGINS=true, log records of the event goroutine.origin describe where
// accumulating goroutines come from, with complete stacks. They go to the global
// LoggerProvider if the service has set one. If it has set neither that nor a MeterProvider, a
// LoggerProvider is created too, from OTEL_LOGS_EXPORTER (otlp by default) and the variables of
// OTLP.
//
// One line on standard error says where the metrics go. OTEL_LOG_LEVEL=warn silences it.
// Errors go to otel.Handle; those of environment variables at once.
//
// The global MeterProvider is never changed. OTEL_SDK_DISABLED=true and
// OTEL_GO_GOROUTINE_DISABLED=true disable everything. A service that calls instrument.Start need
// not import this package; if it does, it must call Start within the ten seconds.
//
// Under go test the import does nothing, so that goleak finds no goroutine of this package. A
// test that needs these metrics calls instrument.Start.
package auto

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/otel-goroutine/otel-goroutine/internal/guard"
	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

// patience is how long the service has to set a MeterProvider. Services do it at the start of
// main, some after they have read their configuration.
const patience = 10 * time.Second

var current = startUnlessTested()

// Shutdown exports the metrics since the last export and ends the instrumentation. If ctx is done
// first, it returns an error. Shutdown is idempotent. Without it the metrics of the last interval
// are lost.
func Shutdown(ctx context.Context) error { return current.shutdown(ctx) }

func startUnlessTested() *instrumentation {
	if isTest(os.Args) {
		return endedInstrumentation()
	}
	return startInstrumentation(patience)
}

// isTest reports whether go test runs this process, by the flags of package testing. A service must
// not link that package for testing.Testing.
func isTest(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-test.") })
}

// startInstrumentation starts the instrumentation, unless the environment disables it or is
// invalid.
func startInstrumentation(patience time.Duration) *instrumentation {
	off, err := isDisabled()
	if err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	if off || err != nil {
		return endedInstrumentation()
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &instrumentation{cancel: cancel, ended: make(chan struct{})}
	if err := guard.Call(func() error { i.global = newGlobal(); return nil }); err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	go i.run(ctx, patience)
	return i
}

// endedInstrumentation returns an instrumentation that has ended.
func endedInstrumentation() *instrumentation {
	i := &instrumentation{cancel: func() {}, ended: make(chan struct{})}
	close(i.ended)
	return i
}

// isDisabled reports whether the environment disables everything. It returns an error if the
// environment is invalid.
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

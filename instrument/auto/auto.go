// Package auto instruments a service that imports it, and needs nothing else:
//
//	import _ "github.com/otel-goroutine/otel-goroutine/instrument/auto"
//
// What is reported, and what the environment can choose, is as package instrument
// has it. If the service sets a MeterProvider of its own (otel.SetMeterProvider),
// that is used. If it has set none after ten seconds, one is made for these metrics
// alone, from the standard variables: OTEL_METRICS_EXPORTER (otlp by default),
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_METRIC_EXPORT_INTERVAL, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES and so on. It ends when the service sets one later.
//
// The global MeterProvider is never touched. OTEL_SDK_DISABLED=true and
// OTEL_GO_GOROUTINE_DISABLED=true switch everything off. What goes wrong is told to
// otel.Handle. A service that calls instrument.Start itself needs no import of this
// package; if it has one, its own call must come within the ten seconds.
package auto

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
)

// patience is how long the service has to set a MeterProvider. Services do it at
// the beginning of main, some after they have read their configuration from
// elsewhere.
const patience = 10 * time.Second

var running = begin(os.Getenv, patience)

// Shutdown exports what has been measured since the last time, ends the
// instrumentation and returns when it has ended, or with an error when ctx does. It
// is for services that want their last interval exported. It may be called any
// number of times.
func Shutdown(ctx context.Context) error { return running.shutdown(ctx) }

// begin starts the instrumentation, unless the environment switches it off.
func begin(getenv func(string) string, patience time.Duration) *instrumentation {
	ctx, cancel := context.WithCancel(context.Background())
	i := &instrumentation{cancel: cancel, ended: make(chan struct{})}
	if isTrue(getenv("OTEL_SDK_DISABLED")) || isTrue(getenv("OTEL_GO_GOROUTINE_DISABLED")) {
		cancel()
		close(i.ended)
		return i
	}
	if err := guard(func() error { i.global = newGlobal(); return nil }); err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	go i.run(ctx, patience)
	return i
}

func isTrue(text string) bool { return strings.EqualFold(strings.TrimSpace(text), "true") }

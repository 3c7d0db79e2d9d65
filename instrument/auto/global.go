package auto

import (
	"context"
	"reflect"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// global detects whether the service has set a MeterProvider.
type global struct {
	// first is the global MeterProvider at the start: OpenTelemetry's, which delegates to
	// the service's once that is set, or already the service's.
	first metric.MeterProvider
	// probe is enabled once first has a reader.
	probe metric.Int64Counter
}

func newGlobal() global {
	g := global{first: otel.GetMeterProvider()}
	probe, err := g.first.Meter("github.com/otel-goroutine/otel-goroutine/instrument/auto").
		Int64Counter("goroutine.auto.probe")
	if err != nil {
		otel.Handle(err)
	}
	g.probe = probe
	return g
}

// isSet reports whether the service has set a MeterProvider, including a no-op.
func (g *global) isSet(ctx context.Context) bool {
	return !isSame(otel.GetMeterProvider(), g.first) || g.probe != nil && g.probe.Enabled(ctx)
}

// isSame reports whether a and b are the same MeterProvider. If they are not comparable, it
// compares their types.
func isSame(a, b metric.MeterProvider) bool {
	of := reflect.ValueOf(a)
	return reflect.TypeOf(a) == reflect.TypeOf(b) && (!of.Comparable() || a == b)
}

package auto

import (
	"context"
	"reflect"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// global detects a MeterProvider that the service sets.
type global struct {
	// first is the global MeterProvider at the beginning: OpenTelemetry's, which
	// delegates to the service's own when that is set, or that already.
	first metric.MeterProvider
	// probe is enabled once first has somebody to report to.
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

// isSet reports whether the service has set one, a no-op included.
func (g *global) isSet(ctx context.Context) bool {
	return !same(otel.GetMeterProvider(), g.first) || g.probe != nil && g.probe.Enabled(ctx)
}

// same reports whether a and b are one MeterProvider. If they cannot be compared, their
// types are.
func same(a, b metric.MeterProvider) bool {
	of := reflect.ValueOf(a)
	return reflect.TypeOf(a) == reflect.TypeOf(b) && (!of.Comparable() || a == b)
}

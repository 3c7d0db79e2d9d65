package auto

import (
	"context"
	"reflect"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// global tells whether the service has a MeterProvider of its own.
type global struct {
	// first is what the global MeterProvider was to begin with: one that
	// hands over to the service's own when that is set, or that already.
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

// isSet tells whether the service has set one, be it one that does nothing.
func (g *global) isSet(ctx context.Context) bool {
	return !same(otel.GetMeterProvider(), g.first) || g.probe != nil && g.probe.Enabled(ctx)
}

// same tells whether two MeterProviders are one. Those that cannot be compared are,
// if they are of one type.
func same(a, b metric.MeterProvider) bool {
	of := reflect.ValueOf(a)
	return reflect.TypeOf(a) == reflect.TypeOf(b) && (!of.Comparable() || a == b)
}

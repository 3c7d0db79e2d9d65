package instrument

import (
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/guard"
)

// callbackRegistry is a MeterProvider that records the callbacks registered with it, so that they
// can be unregistered. Contrib's runtime offers no other way. It is not safe for concurrent use.
type callbackRegistry struct {
	metric.MeterProvider
	registrations []metric.Registration
}

// Meter returns a meter whose callbacks are recorded.
func (k *callbackRegistry) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return registryMeter{k.MeterProvider.Meter(name, options...), k}
}

type registryMeter struct {
	metric.Meter
	registry *callbackRegistry
}

// RegisterCallback registers a callback and records its registration.
func (m registryMeter) RegisterCallback(f metric.Callback, of ...metric.Observable) (metric.Registration, error) {
	r, err := m.Meter.RegisterCallback(f, of...)
	if r != nil {
		m.registry.registrations = append(m.registry.registrations, r)
	}
	return r, err
}

// unregisterAll unregisters all callbacks.
func (k *callbackRegistry) unregisterAll() error {
	var errs []error
	for _, r := range k.registrations {
		errs = append(errs, guard.Call(r.Unregister))
	}
	k.registrations = nil
	return errors.Join(errs...)
}

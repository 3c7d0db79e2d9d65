package instrument

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// keeper is a MeterProvider that remembers the callbacks registered with it, so that they
// can be unregistered. Contrib's runtime offers no other way. It is not safe for concurrent
// use.
type keeper struct {
	metric.MeterProvider
	registrations []metric.Registration
}

// Meter returns a meter whose callbacks the keeper remembers.
func (k *keeper) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return keptMeter{k.MeterProvider.Meter(name, options...), k}
}

type keptMeter struct {
	metric.Meter
	keeper *keeper
}

// RegisterCallback registers a callback and remembers its registration.
func (m keptMeter) RegisterCallback(f metric.Callback, of ...metric.Observable) (metric.Registration, error) {
	r, err := m.Meter.RegisterCallback(f, of...)
	if r != nil {
		m.keeper.registrations = append(m.keeper.registrations, r)
	}
	return r, err
}

// end unregisters all callbacks.
func (k *keeper) end() error {
	var errs []error
	for _, r := range k.registrations {
		errs = append(errs, guard(r.Unregister))
	}
	k.registrations = nil
	return errors.Join(errs...)
}

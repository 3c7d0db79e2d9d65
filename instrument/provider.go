package instrument

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
)

// providerPatience is how long the service has to set a MeterProvider. Services do it at
// the beginning of main, some after they have read their configuration from elsewhere.
const providerPatience = 10 * time.Second

// errNoProvider is reported when providerPatience is over.
var errNoProvider = errors.New("no MeterProvider has been set for " + providerPatience.String() +
	", so nothing is reported; call otel.SetMeterProvider, pass WithMeterProvider to Start," +
	" or import " + ScopeName + "/auto instead of calling Start")

// initialProvider is the global MeterProvider that OpenTelemetry begins with.
var initialProvider = otel.GetMeterProvider()

// isProviderUnset reports whether the service has left the global MeterProvider as
// OpenTelemetry begins with it. A no-op provider is set on purpose, as is
// OTEL_SDK_DISABLED.
func isProviderUnset() bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	return reflect.TypeOf(initialProvider).Comparable() && otel.GetMeterProvider() == initialProvider
}

// lacksProvider returns errNoProvider if nothing can be reported because nobody has set
// a MeterProvider.
func (s *sampler) lacksProvider(ctx context.Context) error {
	return guard(func() error {
		heard := s.called.Load() || !s.asked.IsZero()
		if heard || !s.isUnset() || s.instruments.probe.Enabled(ctx) {
			return nil
		}
		return errNoProvider
	})
}

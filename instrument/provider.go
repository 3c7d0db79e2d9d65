package instrument

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/otel-goroutine/otel-goroutine/internal/guard"
)

// providerPatience is how long the service has to set a MeterProvider. Services do it at the start of
// main, some after they have read their configuration.
const providerPatience = 10 * time.Second

// errNoProvider is reported after providerPatience.
var errNoProvider = errors.New("no MeterProvider has been set for " + providerPatience.String() +
	", so nothing is reported; call otel.SetMeterProvider, pass WithMeterProvider to Start," +
	" or import " + ScopeName + "/auto instead of calling Start")

// initialProvider is OpenTelemetry's initial global MeterProvider.
var initialProvider = otel.GetMeterProvider()

// isProviderUnset reports whether the service has not set a global MeterProvider. A no-op provider,
// and OTEL_SDK_DISABLED, count as set on purpose.
func isProviderUnset() bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	return reflect.TypeOf(initialProvider).Comparable() && otel.GetMeterProvider() == initialProvider
}

// lacksProvider returns errNoProvider if nothing can be reported for lack of a MeterProvider.
func (s *sampler) lacksProvider(ctx context.Context) error {
	return guard.Call(func() error {
		heard := s.called.Load() || !s.lastCollected.IsZero()
		if heard || !s.isUnset() || s.instruments.probe.Enabled(ctx) {
			return nil
		}
		return errNoProvider
	})
}

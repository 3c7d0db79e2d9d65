//go:build go1.25

package instrument

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// TestAMissingProviderIsReportedOnce, ten seconds after Start, and only if it is missing.
func TestAMissingProviderIsReportedOnce(t *testing.T) {
	unset := func() bool { return true }
	for _, test := range []struct {
		name    string
		prepare func(s *sampler)
		want    int
	}{
		{"nobody sets one", func(s *sampler) { s.isUnset = unset }, 1},
		{"it was passed, or the global one is set", func(*sampler) {}, 0},
		{"it is set already", func(s *sampler) { s.isUnset = unset; s.instruments.probe = probeOfAnSDK(t) }, 0},
		{"it has collected, whatever it says", func(s *sampler) { s.isUnset = unset; s.called.Store(true) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := handle(t)
				s := newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) { return tracedSnapshot(1, 7), nil })
				s.instruments.probe = noop.Int64Counter{}
				test.prepare(s)
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { s.run(ctx) })
				time.Sleep(providerPatience - 1)
				synctest.Wait()
				if all := h.all(); len(all) != 0 {
					t.Errorf("too early: %q", all)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				all := h.all()
				if len(all) != test.want {
					t.Errorf("got %q", all)
				}
				for _, text := range all {
					if !strings.HasPrefix(text, "instrument: no MeterProvider has been set for 10s") || strings.Contains(text, "\n") {
						t.Errorf("got %q", text)
					}
				}
				cancel()
				running.Wait()
			})
		})
	}
}

// TestTheInitialProviderIsUnset relies on no test of this package setting the global
// MeterProvider, which could not be unset.
func TestTheInitialProviderIsUnset(t *testing.T) {
	if !isProviderUnset() {
		t.Error("it is set")
	}
	t.Setenv("OTEL_SDK_DISABLED", "True")
	if isProviderUnset() {
		t.Error("it is missed though OpenTelemetry is switched off")
	}
}

// probeOfAnSDK returns a counter of a MeterProvider that has somebody to report to.
func probeOfAnSDK(t *testing.T) metric.Int64Counter {
	t.Helper()
	c, err := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())).Meter("test").Int64Counter("probe")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

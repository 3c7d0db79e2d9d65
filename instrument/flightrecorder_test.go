//go:build go1.25

package instrument

import (
	"runtime/trace"
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestFlightRecorderIsNoHindranceToOrigins, nor are origins to it.
func TestFlightRecorderIsNoHindranceToOrigins(t *testing.T) {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
	if err := recorder.Start(); err != nil {
		t.Fatal(err)
	}
	defer recorder.Stop()
	openShop(t)
	r := begin(t, tracing()...)
	r.until(t, "origins", func(c collected) bool {
		return c.sum(telemetry.OriginCreations, telemetry.AttrOriginCaught, "leaked_birth") > 0
	})
	var b strings.Builder
	if _, err := recorder.WriteTo(&b); err != nil || b.Len() == 0 {
		t.Errorf("%d bytes recorded: %v", b.Len(), err)
	}
}

func TestFlightRecorderIsNoHindrance(t *testing.T) {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
	if err := recorder.Start(); err != nil {
		t.Fatal(err)
	}
	defer recorder.Stop()
	r := begin(t, WithCapture(CaptureTrace))
	stuck(t, 30)
	r.until(t, "30 aged goroutines", func(c collected) bool {
		return c.sum(telemetry.StackAgedCount, telemetry.AttrFunction, here("waitHere")) == 30
	})
	var b strings.Builder
	if _, err := recorder.WriteTo(&b); err != nil || b.Len() == 0 {
		t.Errorf("%d bytes recorded: %v", b.Len(), err)
	}
}

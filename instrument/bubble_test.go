//go:build go1.25

package instrument

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestInABubbleNoTraceIsTaken would otherwise end with a fatal error of the runtime.
func TestInABubbleNoTraceIsTaken(t *testing.T) {
	if inBubble() {
		t.Error("there is no bubble yet")
	}
	synctest.Test(t, func(t *testing.T) {
		if !inBubble() {
			t.Error("the bubble is not noticed")
		}
		if s, err := newCapturer(CaptureAuto).capture(); err != nil || s.Source != stack.SourceProfile {
			t.Errorf("auto: got %v, %v", s, err)
		}
		if s, err := newCapturer(CaptureTrace).capture(); s != nil || !errors.Is(err, errBubble) {
			t.Errorf("trace: got %v, %v", s, err)
		}
	})
}

// TestAServiceInABubble is the test of a service that calls Start.
func TestAServiceInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		stop, err := Start(WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if c := (&rig{reader: reader}).collect(t); c.sum(telemetry.StackCount) < 1 {
			t.Errorf("got %v", c)
		}
		if err := stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

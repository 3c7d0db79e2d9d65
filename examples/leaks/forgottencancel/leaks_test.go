package forgottencancel

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "trackLeaky", "select", func() { ArrivedLeaky(t.Context(), 3) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		if !ArrivedRepaired(t.Context(), 3) {
			t.Error("not arrived")
		}
	})
}

package receivewithoutsender

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "AskLeaky", "chan receive", func() { AskLeaky("it does not work") })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := AskRepaired(ctx, "it does not work"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if reply, err := AskRepaired(t.Context(), "what now?"); err != nil || reply == "" {
			t.Errorf("reply %q, error %v", reply, err)
		}
	})
}

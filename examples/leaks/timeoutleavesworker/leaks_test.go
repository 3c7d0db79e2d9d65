package timeoutleavesworker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "quoteLeaky", "chan send", func() {
		released := make(chan struct{})
		_, err := QuoteLeaky(func() int { <-released; return 1 }, time.Millisecond)
		if !errors.Is(err, ErrTimeout) {
			t.Errorf("error %v", err)
		}
		close(released)
	})
}

func TestRepaired(t *testing.T) {
	slow := func(ctx context.Context) int { <-ctx.Done(); return 1 }
	fast := func(context.Context) int { return 2 }
	leaktest.Clean(t, func() {
		if _, err := QuoteRepaired(t.Context(), slow, time.Millisecond); !errors.Is(err, ErrTimeout) {
			t.Errorf("error %v", err)
		}
		if p, err := QuoteRepaired(t.Context(), fast, time.Minute); err != nil || p != 2 {
			t.Errorf("price %d, error %v", p, err)
		}
	})
}

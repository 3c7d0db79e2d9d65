package tickernotstopped

import (
	"context"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "beatLeaky", "chan receive", func() { KeepAliveLeaky(func() {}) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		beat := make(chan struct{}, 1)
		KeepAliveRepaired(ctx, func() {
			select {
			case beat <- struct{}{}:
			default:
			}
		})
		<-beat
	})
}

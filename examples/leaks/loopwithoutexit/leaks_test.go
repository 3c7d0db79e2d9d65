package loopwithoutexit

import (
	"context"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func price() int { return 42 }

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "pollLeaky", "sleep", func() { WatchLeaky(price, func(int) {}) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		changed := make(chan int, 1)
		WatchRepaired(ctx, price, func(p int) { changed <- p })
		if p := <-changed; p != price() {
			t.Errorf("changed to %d", p)
		}
	})
}

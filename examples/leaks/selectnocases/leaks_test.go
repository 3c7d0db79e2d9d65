package selectnocases

import (
	"context"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "listenLeaky", "select (no cases)", func() { FollowLeaky(NewFeed(), func(string) {}) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		feed, shown := NewFeed(), ""
		FollowRepaired(ctx, feed, func(news string) { shown = news })
		feed.Publish("sold")
		if shown != "sold" {
			t.Errorf("shown %q", shown)
		}
	})
}

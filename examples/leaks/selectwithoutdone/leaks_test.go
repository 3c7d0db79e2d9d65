package selectwithoutdone

import (
	"context"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "showLeaky", "select", func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		FollowLeaky(ctx, NewTopic(), func(string) {})
	})
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		topic, shown := NewTopic(), make(chan string, 1)
		FollowRepaired(ctx, topic, func(event string) {
			select {
			case shown <- event:
			default: // another event that was already in the channel when ctx was done
			}
			cancel()
		})
		for ticker := time.NewTicker(time.Millisecond); ; {
			topic.Publish("sold")
			select {
			case <-ticker.C:
				continue
			case event := <-shown:
				if event != "sold" {
					t.Errorf("shown %q", event)
				}
			}
			ticker.Stop()
			return
		}
	})
}

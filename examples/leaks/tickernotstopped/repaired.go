package tickernotstopped

import (
	"context"
	"time"
)

// KeepAliveRepaired does what KeepAliveLeaky does, until ctx ends.
//
// The repair: a ticker that is stopped by defer, and a loop that also looks at the
// context of the connection.
func KeepAliveRepaired(ctx context.Context, send func()) {
	go beatRepaired(ctx, send)
}

func beatRepaired(ctx context.Context, send func()) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			send()
		case <-ctx.Done():
			return
		}
	}
}

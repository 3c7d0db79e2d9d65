package tickernotstopped

import (
	"context"
	"time"
)

// KeepAliveRepaired is KeepAliveLeaky without the leak, until ctx is done.
//
// Fix: a ticker that is stopped by defer, and a loop that also looks at the
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

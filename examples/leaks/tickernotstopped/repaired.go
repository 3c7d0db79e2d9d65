package tickernotstopped

import (
	"context"
	"time"
)

// KeepAliveRepaired is KeepAliveLeaky without the leak. It ends when ctx is done.
//
// Fix: a deferred Stop of the ticker, and a loop with a case for the end of the
// connection's context.
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

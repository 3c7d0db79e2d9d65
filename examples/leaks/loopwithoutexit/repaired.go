package loopwithoutexit

import (
	"context"
	"time"
)

// WatchRepaired is WatchLeaky without the leak until ctx is done.
//
// Fix: the loop has an exit, and does not sleep through it. Whoever starts
// it passes the context of what it is for.
func WatchRepaired(ctx context.Context, price func() int, changed func(int)) {
	go pollRepaired(ctx, price, changed)
}

func pollRepaired(ctx context.Context, price func() int, changed func(int)) {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for last := 0; ; {
		if now := price(); now != last {
			last = now
			changed(now)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

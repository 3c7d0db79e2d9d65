package loopwithoutexit

import (
	"context"
	"time"
)

// WatchRepaired is WatchLeaky without the leak. It ends when ctx is done.
//
// Fix: an exit from the loop, which waits in a select instead of sleeping. The caller
// passes the context of the customer's request.
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

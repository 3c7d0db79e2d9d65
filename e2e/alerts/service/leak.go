package main

import (
	"context"
	"time"
)

// order starts a goroutine that waits for a reply once in every interval. Without repaired there is no
// reply.
func order(ctx context.Context, every time.Duration, repaired bool) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		reply := make(chan string)
		go awaitReply(reply)
		if repaired {
			time.AfterFunc(every/2, func() { close(reply) })
		}
	}
}

func awaitReply(reply <-chan string) {
	<-reply // here
}

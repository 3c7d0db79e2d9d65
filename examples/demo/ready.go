package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

// look is how often a child that is not ready yet is asked again.
const look = 100 * time.Millisecond

// awaitReady returns when url answers with status 200. It fails when the child
// ends before, when it takes too long, and with ctx.
func awaitReady(ctx context.Context, client *http.Client, c *child, url string, timeout time.Duration) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	again := time.NewTicker(look)
	defer again.Stop()
	for {
		err := ask(ctx, client, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return cmp.Or(ctx.Err(), c.death())
		case <-deadline.C:
			return fmt.Errorf("%s is not ready after %v (%w)%s", c.name, timeout, err, c.lastWords())
		case <-again.C:
		}
	}
}

func ask(ctx context.Context, client *http.Client, url string) error {
	body, err := get(ctx, client, url)
	if err != nil {
		return err
	}
	return body.Close()
}

package goroutinereceiver

import (
	"context"
	"errors"
)

// build is the build of the program of a target. It is fetched once per process.
type build struct {
	settled bool
	id      string // the GNU build ID; empty if unknown
}

// reset prepares b for a new process.
func (b *build) reset() { b.settled, b.id = false, "" }

// fetch fetches the build ID unless it is settled. It is also settled if the target has no such
// profile, but not if the request failed or timed out.
func (b *build) fetch(ctx context.Context, c *capturer) (newConnection bool, err error) {
	if b.settled {
		return false, nil
	}
	s, newConnection, err := c.fetch(ctx, &c.requests.threads)
	if err != nil {
		var transport *transportError
		b.settled = ctx.Err() == nil && !errors.As(err, &transport)
		return newConnection, wrap("threadcreate profile", err)
	}
	b.settled, b.id = true, s.Build
	return newConnection, nil
}

// fetchBuild fetches the build ID within the rest of the scrape's timeout. A failure does not
// fail the scrape.
func (t *target) fetchBuild(ctx context.Context) { t.countPanics(ctx, t.guardedBuild(ctx)) }

func (t *target) guardedBuild(ctx context.Context) (err error) {
	defer t.recoverPanic(&err)
	newConnection, err := t.build.fetch(ctx, &t.capturer)
	t.noteConnection(newConnection)
	return err
}

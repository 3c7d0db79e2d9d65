package goroutinereceiver

import (
	"context"
	"errors"
)

// build is which build of a program a target runs. It is asked for once for each process.
type build struct {
	settled bool
	id      string // the GNU build ID; empty if it is not known
}

// restart forgets a process that is gone.
func (b *build) restart() { b.settled, b.id = false, "" }

// ask asks for the build unless it is settled. A target that has no such profile is not
// asked again before its process is another one; one that did not answer in time is.
func (b *build) ask(ctx context.Context, c *captor) (newConnection bool, err error) {
	if b.settled {
		return false, nil
	}
	s, newConnection, err := c.fetch(ctx, &c.wants.threads)
	if err != nil {
		var transport *transportError
		b.settled = ctx.Err() == nil && !errors.As(err, &transport)
		return newConnection, wrap("threadcreate profile", err)
	}
	b.settled, b.id = true, s.Build
	return newConnection, nil
}

// askBuild asks for the build, in what is left of the scrape's timeout. That it cannot be had
// fails no scrape.
func (t *target) askBuild(ctx context.Context) { t.countPanics(ctx, t.guardedBuild(ctx)) }

func (t *target) guardedBuild(ctx context.Context) (err error) {
	defer t.guard(&err)
	newConnection, err := t.build.ask(ctx, &t.captor)
	t.noteConnection(newConnection)
	return err
}

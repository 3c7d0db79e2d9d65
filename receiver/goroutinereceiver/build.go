package goroutinereceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// build is which build of a program a target runs. It is asked for once for each process.
type build struct {
	fetcher *fetcher
	want    want

	settled bool
	id      string // the GNU build ID; empty if it is not known
}

func newBuild(f *fetcher, maxBody int) build {
	return build{fetcher: f, want: wantThreads(maxBody)}
}

// restart forgets a process that is gone.
func (b *build) restart() { b.settled, b.id = false, "" }

// ask asks for the build unless it is settled. A target that has no such profile is not
// asked again before its process is another one; one that did not answer in time is.
func (b *build) ask(ctx context.Context) (newConnection bool, err error) {
	if b.settled {
		return false, nil
	}
	s, newConnection, err := b.fetcher.fetch(ctx, b.want)
	if err != nil {
		var transport *transportError
		b.settled = ctx.Err() == nil && !errors.As(err, &transport)
		return newConnection, wrap("threadcreate profile", err)
	}
	b.settled, b.id = true, s.Build
	return newConnection, nil
}

// scrapeBuild asks for the build, in what is left of the scrape's timeout, and records it. That
// it cannot be had fails no scrape.
func (t *target) scrapeBuild(ctx context.Context) {
	t.countPanics(ctx, t.guardedBuild(ctx))
	if t.build.id != "" {
		t.builder.RecordGoroutineProcessBuildDataPoint(pcommon.NewTimestampFromTime(time.Now()), 1, metadata.WithProcessExecutableBuildIDGnuMetricAttribute(t.build.id))
	}
}

func (t *target) guardedBuild(ctx context.Context) (err error) {
	defer t.guard(&err)
	newConnection, err := t.build.ask(ctx)
	t.noteConnection(newConnection)
	return err
}

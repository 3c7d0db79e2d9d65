package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// lookCommand looks, and tells.
type lookCommand struct {
	watched

	For      time.Duration `help:"How long to look. Thresholds are scaled to it." default:"50s"`
	JSON     bool          `help:"Write what was found as JSON, and nothing else." name:"json" xor:"form"`
	Markdown bool          `help:"Write what was found as Markdown, and nothing else." xor:"form"`
	HTML     string        `help:"File to write a page of what was found to." name:"html" type:"path"`
}

// Run looks until the time is over or the user has seen enough.
func (c *lookCommand) Run(ctx context.Context, out streams) error {
	var aggregator *page.Aggregator
	if c.HTML != "" {
		aggregator = newAggregator(judge.Scaled(c.For))
	}
	watching, options, closing, err := c.open(c.For, aggregator)
	if err != nil {
		return err
	}
	defer closing()
	said := out.stdout
	if c.JSON || c.Markdown {
		said = out.stderr
	}
	var state watch.State
	if out.terminal != nil && !c.JSON && !c.Markdown {
		fmt.Fprintln(out.stdout, show.Plan(options.For, options.Interval(), judge.Scaled(c.For)))
		state, err = live(ctx, watching, options, out)
	} else {
		state, err = watchPlainly(ctx, watching, options, said, out.width)
	}
	if err != nil {
		return unreachable(state, err, out)
	}
	report := conclude(ctx, watching, state, said)
	if aggregator != nil {
		if err := writePage(c.HTML, aggregator, strings.Join(c.URLs, ", "), report.Summary()); err != nil {
			return err
		}
		fmt.Fprintln(said, "The page is in", c.HTML)
	}
	switch {
	case c.JSON:
		return show.JSON(out.stdout, report)
	case c.Markdown:
		return show.Markdown(out.stdout, report)
	}
	return show.Text(out.stdout, report)
}

// watchPlainly watches, and writes a line for everything that is new.
func watchPlainly(ctx context.Context, watching *watch.Watch, o watch.Options, to io.Writer, width int) (watch.State, error) {
	progress := show.Progress{To: to, Width: width, For: o.For, Interval: o.Interval()}
	return watching.Run(ctx, progress.Look)
}

// unreachable tells why nothing could be looked at.
func unreachable(s watch.State, err error, out streams) error {
	for _, t := range s.Targets {
		fmt.Fprintf(out.stderr, "goroutine-leaks: %s: %s\n", t.Name, t.Error)
	}
	fmt.Fprintln(out.stderr, "goroutine-leaks:", err)
	return statusError(statusFailed)
}

// conclude asks where the goroutines come from that leak, and puts together what was found.
// It does so after an interrupt as well, unless there is a second one.
func conclude(ctx context.Context, watching *watch.Watch, last watch.State, said io.Writer) *show.Report {
	if watching.Gathers() {
		fmt.Fprintln(said, "Tracing for a second or three, to see what starts and wakes them.")
	}
	origins, problems := watching.Origins(context.WithoutCancel(ctx))
	watching.Weigh(origins, &last)
	return &show.Report{State: last, Origins: origins, Problems: problems}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// lookCommand watches processes and reports leaks.
type lookCommand struct {
	watchFlags

	For      time.Duration `help:"Time to watch. Thresholds are scaled to it." default:"50s"`
	JSON     bool          `help:"Write the report as JSON to stdout, and progress to stderr." name:"json" xor:"form"`
	Markdown bool          `help:"Write the report as Markdown to stdout, and progress to stderr." xor:"form"`
	HTML     string        `help:"Also write the report as a page to this file." name:"html" type:"path" placeholder:"FILE"`
}

// Run implements the command. An interrupt ends the watch, and the report follows.
func (c *lookCommand) Run(ctx context.Context, out streams) error {
	var aggregator *page.Aggregator
	if c.HTML != "" {
		aggregator = newAggregator(judge.Scaled(c.For))
	}
	watcher, options, closeTargets, err := c.open(c.For, aggregator)
	if err != nil {
		return err
	}
	defer closeTargets()
	file, err := openResultFile(c.HTML)
	if err != nil {
		return err
	}
	messages := out.stdout
	if c.JSON || c.Markdown {
		messages = out.stderr
	}
	var state watch.State
	if out.terminal != nil && !c.JSON && !c.Markdown {
		fmt.Fprintln(out.stdout, show.Plan(options.For, options.Interval(), judge.Scaled(c.For)))
		state, err = watchLive(ctx, watcher, options, out)
	} else {
		state, err = watchPlain(ctx, watcher, options, messages, out.width)
	}
	if err != nil {
		if err := file.discard(); err != nil {
			return err
		}
		return reportUnreachable(state, err, out)
	}
	report := newReport(ctx, watcher, state, c.ignore, messages)
	switch {
	case c.JSON:
		err = show.JSON(out.stdout, report)
	case c.Markdown:
		err = show.Markdown(out.stdout, report)
	default:
		err = show.Text(out.stdout, report)
	}
	if aggregator == nil {
		return err
	}
	if err := errors.Join(err, writePage(file, aggregator, strings.Join(c.URLs, ", "), report.Summary())); err != nil {
		return err
	}
	fmt.Fprintln(messages, "Wrote the page to", c.HTML)
	return nil
}

// watchPlain watches, and writes progress as lines.
func watchPlain(ctx context.Context, watcher *watch.Watcher, o watch.Options, to io.Writer, width int) (watch.State, error) {
	progress := show.Progress{To: to, Width: width, For: o.For, Interval: o.Interval()}
	return watcher.Run(ctx, progress.Update)
}

// reportUnreachable writes the error of each target.
func reportUnreachable(s watch.State, err error, out streams) error {
	for _, t := range s.Targets {
		fmt.Fprintf(out.stderr, "goroutine-leaks: %s: %s\n", t.Name, t.Error)
	}
	fmt.Fprintln(out.stderr, "goroutine-leaks:", err)
	return statusError(statusFailure)
}

// newReport traces the processes whose goroutines leak or accumulate, and returns the final report.
// An interrupt during the watch does not prevent the traces; a second one ends the process.
func newReport(ctx context.Context, watcher *watch.Watcher, last watch.State, ignore ignoreList, messages io.Writer) *show.Report {
	if watcher.HasCandidates() {
		fmt.Fprintln(messages, "Tracing for 1 to 4 s to find what starts and wakes the goroutines.")
	}
	origins, problems := watcher.Origins(context.WithoutCancel(ctx))
	watcher.DowngradeAtWork(origins, &last)
	return &show.Report{State: last, Origins: origins, Problems: problems, Exclusions: ignore.exclusions(last.Rows)}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/replay"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// replayCommand judges samples stored in a Prometheus.
type replayCommand struct {
	access `group:"Access"`

	Prometheus  string        `help:"Where the Prometheus is, or a server with its API." required:"" placeholder:"URL"`
	Since       time.Duration `help:"How much of the past to replay." default:"168h"`
	Match       []string      `help:"Label matcher, such as job=\"shop\". Again for more." sep:"none"`
	MinDuration time.Duration `help:"As min_duration of the processor." default:"30m"`
	MinLeaked   int           `help:"As min_leaked of the processor." default:"10"`
	MaxLifetime time.Duration `help:"As max_lifetime of the processor: the longest that a healthy goroutine lives." default:"12h"`
	Ignore      []string      `help:"As of look." sep:"none"`
	JSON        bool          `help:"Write what would have been flagged as JSON, and nothing else." name:"json"`
	HTML        string        `help:"File to write a page of it to." name:"html" type:"path"`
}

var errReplay = errors.New("--since, --min-duration, --min-leaked and --max-lifetime must be above 0, and --since at most a year")

// Run replays, and reports what would have been flagged, and when.
func (c *replayCommand) Run(ctx context.Context, out streams) error {
	if c.Since <= 0 || c.Since > judge.Longest || c.MinDuration <= 0 || c.MinLeaked <= 0 || c.MaxLifetime <= 0 {
		return errReplay
	}
	ignore, err := parseIgnore(c.Ignore, time.Now())
	if err != nil {
		return err
	}
	address, err := replay.ParseAddress(c.Prometheus)
	if err != nil {
		return err
	}
	client, headers, err := c.access.access().Client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	thresholds := judge.Defaults()
	thresholds.MinDuration, thresholds.MinLeaked, thresholds.MaxLifetime = c.MinDuration, c.MinLeaked, c.MaxLifetime
	var aggregator *page.Aggregator
	if c.HTML != "" {
		aggregator = newAggregator(thresholds)
	}
	result, err := replay.Run(ctx, replay.NewPrometheus(address, client, headers), replay.Options{
		Since: c.Since, Match: c.Match, Thresholds: thresholds, Ignore: ignore.matches, Page: aggregator,
		Progress: func(at time.Time) {
			if out.terminal != nil {
				fmt.Fprintf(out.stderr, "\r%s ", at.Format(time.DateTime))
			}
		},
	})
	if out.terminal != nil {
		fmt.Fprint(out.stderr, "\r")
	}
	switch {
	case errors.Is(err, replay.ErrNoData):
		fmt.Fprintf(out.stderr, "goroutine-leaks: %s: %v\n", address.Host, err)
		return statusError(statusNotEnough)
	case err != nil:
		return fmt.Errorf("%s: %w", address.Host, err)
	}
	if aggregator != nil {
		if err := writePage(c.HTML, aggregator, address.Host, show.ReplaySummary(result)); err != nil {
			return err
		}
	}
	if c.JSON {
		return show.ReplayJSON(out.stdout, result)
	}
	return show.Replay(out.stdout, result)
}

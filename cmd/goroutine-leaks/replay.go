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

// replayCommand applies the detector to samples stored in Prometheus.
type replayCommand struct {
	accessFlags `group:"Access:"`

	Prometheus  string        `help:"URL of Prometheus, or of a server with its HTTP API." required:"" placeholder:"URL"`
	Since       time.Duration `help:"How far back to start." default:"7d"`
	Match       []string      `help:"Label matcher, such as job=\"shop\". Repeatable." sep:"none" placeholder:"MATCHER"`
	MinDuration time.Duration `help:"min_duration of leak_detect: the shortest growth that counts." default:"30m"`
	MinLeaked   int           `help:"min_leaked of leak_detect: the fewest goroutines that count." default:"10"`
	MaxLifetime time.Duration `help:"max_lifetime of leak_detect: the longest that a healthy goroutine lives." default:"12h"`
	Ignore      []string      `help:"Goroutines not to flag, as in look." sep:"none" placeholder:"RULE"`
	JSON        bool          `help:"Write the report as JSON." name:"json"`
	HTML        string        `help:"Also write the report as a page to this file." name:"html" type:"path" placeholder:"FILE"`
}

var errReplayFlags = errors.New("--since, --min-duration, --min-leaked and --max-lifetime must be positive, and --since at most 365d")

// Run implements the command.
func (c *replayCommand) Run(ctx context.Context, out streams) error {
	if c.Since <= 0 || c.Since > judge.Year || c.MinDuration <= 0 || c.MinLeaked <= 0 || c.MaxLifetime <= 0 {
		return errReplayFlags
	}
	ignore, err := parseIgnore(c.Ignore, time.Now())
	if err != nil {
		return err
	}
	address, err := replay.ParseAddress(c.Prometheus)
	if err != nil {
		return err
	}
	client, headers, err := c.access().Client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	file, err := openResultFile(c.HTML)
	if err != nil {
		return err
	}
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
	if err != nil {
		err = fmt.Errorf("%s: %w", address.Host, err)
		if discardErr := file.discard(); discardErr != nil || !errors.Is(err, replay.ErrNoData) {
			return errors.Join(err, discardErr)
		}
		fmt.Fprintln(out.stderr, "goroutine-leaks:", err)
		return statusError(statusInsufficient)
	}
	exclusions := ignore.exclusions(nil)
	if c.JSON {
		err = show.ReplayJSON(out.stdout, result, exclusions)
	} else {
		err = show.Replay(out.stdout, result, exclusions)
	}
	if aggregator == nil {
		return err
	}
	return errors.Join(err, writePage(file, aggregator, address.Host, show.ReplaySummary(result)))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
)

// checkCommand watches processes and reports the result as its exit status.
type checkCommand struct {
	watchFlags

	For    time.Duration `help:"Time to watch. Thresholds are scaled to it." default:"2m"`
	FailOn string        `help:"Lowest severity that counts as a leak: suspected, probable or confirmed." enum:"suspected,probable,confirmed" default:"probable"`
	JUnit  string        `help:"Write the result as JUnit XML to this file." name:"junit" type:"path" placeholder:"FILE"`
	JSON   bool          `help:"Write the report as JSON to stdout, and progress to stderr." name:"json"`
}

// Run implements the command.
func (c *checkCommand) Run(ctx context.Context, out streams) error {
	watcher, options, closeTargets, err := c.open(c.For, nil)
	if err != nil {
		return err
	}
	defer closeTargets()
	file, err := openResultFile(c.JUnit)
	if err != nil {
		return err
	}
	messages := out.stdout
	if c.JSON {
		messages = out.stderr
	}
	state, err := watchPlain(ctx, watcher, options, messages, out.width)
	if err != nil {
		result := show.NewResult(&show.Report{State: state}, c.FailOn, c.For)
		if err := writeJUnit(file, result); err != nil {
			return err
		}
		return reportUnreachable(state, err, out)
	}
	result := show.NewResult(newReport(ctx, watcher, state, c.ignore, messages), c.FailOn, c.For)
	if c.JSON {
		err = show.JSON(out.stdout, result.Report)
	} else {
		err = show.Text(out.stdout, result.Report)
	}
	fmt.Fprintln(messages, result)
	if err := errors.Join(err, writeJUnit(file, result)); err != nil {
		return err
	}
	switch result.Outcome {
	case show.Clean:
		return nil
	case show.Leak:
		return statusError(statusLeak)
	case show.Unreachable:
		return statusError(statusFailure)
	}
	return statusError(statusInsufficient)
}

func writeJUnit(file resultFile, r *show.Result) error {
	return file.write(func(to io.Writer) error { return show.JUnit(to, r) })
}

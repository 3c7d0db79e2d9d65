package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
)

// checkCommand watches, and reports the result as its exit status.
type checkCommand struct {
	watched

	For    time.Duration `help:"How long to look. Thresholds are scaled to it." default:"2m"`
	FailOn string        `help:"The least severity that is a leak: suspected, probable or confirmed." enum:"suspected,probable,confirmed" default:"probable"`
	JUnit  string        `help:"File to write the result to as JUnit XML." name:"junit" type:"path"`
	JSON   bool          `help:"Write the result as JSON, and nothing else." name:"json"`
}

// Run watches for the whole time.
func (c *checkCommand) Run(ctx context.Context, out streams) error {
	watching, options, closing, err := c.open(c.For, nil)
	if err != nil {
		return err
	}
	defer closing()
	said := out.stdout
	if c.JSON {
		said = out.stderr
	}
	state, err := watchPlainly(ctx, watching, options, said, out.width)
	if err != nil {
		result := show.NewResult(&show.Report{State: state}, c.FailOn, c.For)
		if writeErr := c.write(result); writeErr != nil {
			return writeErr
		}
		return unreachable(state, err, out)
	}
	result := show.NewResult(conclude(ctx, watching, state, said), c.FailOn, c.For)
	if err := c.write(result); err != nil {
		return err
	}
	if c.JSON {
		err = show.JSON(out.stdout, result.Report)
	} else {
		err = show.Text(out.stdout, result.Report)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(said, result)
	switch result.Outcome {
	case show.Clean:
		return nil
	case show.Leak:
		return statusError(statusLeak)
	case show.NotLooked:
		return statusError(statusFailed)
	}
	return statusError(statusNotEnough)
}

func (c *checkCommand) write(r *show.Result) error {
	if c.JUnit == "" {
		return nil
	}
	file, err := os.Create(c.JUnit)
	if err != nil {
		return err
	}
	if err := show.JUnit(file, r); err != nil {
		_ = file.Close() // the first error matters more
		return err
	}
	return file.Close()
}

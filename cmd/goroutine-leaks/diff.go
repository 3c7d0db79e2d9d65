package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
)

// diffCommand compares two snapshots.
type diffCommand struct {
	accessFlags `group:"Access:"`

	Before string `arg:"" help:"File or URL of a goroutine profile, an execution trace, or a debug=1 or debug=2 text."`
	After  string `arg:"" help:"The same, taken later."`
	JSON   bool   `help:"Write the difference as JSON." name:"json"`
}

// Run implements the command.
func (c *diffCommand) Run(ctx context.Context, out streams) error {
	var looks [2]target.Look
	for i, argument := range []string{c.Before, c.After} {
		look, err := c.read(ctx, argument)
		if err != nil {
			return err
		}
		looks[i] = look
	}
	d := show.Compare(looks[0], looks[1])
	if c.JSON {
		return d.JSON(out.stdout)
	}
	return d.Text(out.stdout, out.width)
}

// read reads the file, or takes a snapshot of the process if there is no such file.
func (c *diffCommand) read(ctx context.Context, fileOrURL string) (target.Look, error) {
	body, err := readFile(fileOrURL)
	if err == nil {
		look, err := target.Read(body)
		if err != nil {
			return look, fmt.Errorf("%s: %w", fileOrURL, err)
		}
		return look, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return target.Look{}, err
	}
	t, addressErr := target.New(fileOrURL, c.access())
	if addressErr != nil {
		if !strings.Contains(fileOrURL, ":") {
			return target.Look{}, err // it is probably the name of a file
		}
		return target.Look{}, addressErr
	}
	defer t.Close()
	look, err := t.Look(ctx)
	if err != nil {
		return look, fmt.Errorf("%s: %w", t.Name, err)
	}
	return look, nil
}

// readFile reads a file of at most target.MaxBody bytes.
func readFile(name string) (body []byte, err error) {
	file, err := os.Open(name) //nolint:gosec // the file is named by the user
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	body, err = io.ReadAll(io.LimitReader(file, target.MaxBody+1))
	if len(body) > target.MaxBody {
		return nil, fmt.Errorf("%s: %w", name, target.ErrTooLarge)
	}
	return body, err
}

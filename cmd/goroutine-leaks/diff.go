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

// diffCommand compares two looks.
type diffCommand struct {
	access `group:"Access"`

	Before string `arg:"" help:"A file or an address: a goroutine profile, an execution trace, or the text of debug=1 or debug=2."`
	After  string `arg:"" help:"The same, later."`
	JSON   bool   `help:"Write the difference as JSON." name:"json"`
}

// Run compares.
func (c *diffCommand) Run(ctx context.Context, out streams) error {
	var looks [2]target.Look
	for i, from := range []string{c.Before, c.After} {
		look, err := c.read(ctx, from)
		if err != nil {
			return fmt.Errorf("%s: %w", withoutPassword(from), err)
		}
		looks[i] = look
	}
	d := show.Compare(looks[0], looks[1])
	if c.JSON {
		return d.JSON(out.stdout)
	}
	return d.Text(out.stdout, out.width)
}

// read reads a file of that name, or asks the process at that address.
func (c *diffCommand) read(ctx context.Context, from string) (target.Look, error) {
	body, err := readFile(from)
	if err == nil {
		return target.Read(body)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return target.Look{}, err
	}
	t, addressErr := target.New(from, c.access.access())
	if addressErr != nil {
		if !strings.Contains(from, ":") {
			return target.Look{}, err // it was meant as a file
		}
		return target.Look{}, addressErr
	}
	defer t.Close()
	return t.Look(ctx)
}

// readFile reads a file of at most target.MaxBody bytes.
func readFile(name string) (body []byte, err error) {
	file, err := os.Open(name) //nolint:gosec // it is the file that the user names
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	body, err = io.ReadAll(io.LimitReader(file, target.MaxBody+1))
	if len(body) > target.MaxBody {
		return nil, target.ErrTooLarge
	}
	return body, err
}

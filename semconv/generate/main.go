// Command generate writes the page of the registry.
//
//	go run ./generate ../docs/metrics.md
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/otel-goroutine/otel-goroutine/semconv"
)

func main() {
	if err := generate(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: generate FILE")
	}
	registry, err := semconv.Load()
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := registry.WriteMarkdown(&page); err != nil {
		return err
	}
	return os.WriteFile(args[0], page.Bytes(), 0o644) //nolint:gosec // it is to be read by all
}

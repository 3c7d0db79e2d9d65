//go:build unix && !solaris && !aix

package main

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/heldfile"
)

// openLocked creates a file and locks it.
func openLocked() (*os.File, error) {
	file, err := os.CreateTemp("", "stamps")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// filePatterns returns the mistakes with files.
func filePatterns(e *environment) []pattern {
	return []pattern{{
		func(context.Context) { _ = heldfile.StampLeaky(e.stamps.Name(), "noon") },
		func(ctx context.Context) { _ = heldfile.StampRepaired(ctx, e.stamps.Name(), "noon") },
	}}
}

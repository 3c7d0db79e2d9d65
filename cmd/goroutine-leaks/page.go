package main

import (
	"os"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// newMemory returns the memory of a page that shows these thresholds.
func newMemory(t judge.Thresholds) *page.Aggregator {
	return page.NewAggregator(page.Config{
		Detector: page.Detector{AgedAfter: t.AgedAfter, MinDuration: t.MinDuration, MaxLifetime: t.MaxLifetime},
	})
}

// writePage writes the page to a file.
func writePage(name string, memory *page.Aggregator, title, summary string) error {
	file, err := os.Create(name) //nolint:gosec // it is the file that the user names
	if err != nil {
		return err
	}
	if err := page.WriteFile(file, memory.Site(time.Now()), page.Options{Title: title}, summary); err != nil {
		_ = file.Close() // the first error matters more
		return err
	}
	return file.Close()
}

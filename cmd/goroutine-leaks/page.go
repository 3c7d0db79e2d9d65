package main

import (
	"os"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// newAggregator returns the Aggregator of a page with these thresholds.
func newAggregator(t judge.Thresholds) *page.Aggregator {
	return page.NewAggregator(page.Config{
		Detector: page.Detector{AgedAfter: t.AgedAfter, MinDuration: t.MinDuration, MaxLifetime: t.MaxLifetime},
	})
}

// writePage writes the page to a file.
func writePage(name string, aggregator *page.Aggregator, title, summary string) error {
	file, err := os.Create(name) //nolint:gosec // the file is named by the user
	if err != nil {
		return err
	}
	if err := page.WriteFile(file, aggregator.Site(time.Now()), page.Options{Title: title}, summary); err != nil {
		_ = file.Close() // the first error matters more
		return err
	}
	return file.Close()
}

package main

import (
	"io"
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
func writePage(file resultFile, aggregator *page.Aggregator, title, summary string) error {
	return file.write(func(to io.Writer) error {
		return page.WriteFile(to, aggregator.Site(time.Now()), page.Options{Title: title}, summary)
	})
}

package goroutinereceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// failures counts the failed scrapes of a target by error type. It belongs to the target, not to
// the process: neither a restart of the process nor a panic in a scrape resets it.
type failures struct {
	since  time.Time                             // when the receiver started to scrape the target
	counts map[metadata.AttributeErrorType]int64 // nil if no scrape failed
}

func newFailures() failures { return failures{since: time.Now()} }

func (f *failures) add(e metadata.AttributeErrorType) {
	if f.counts == nil {
		f.counts = make(map[metadata.AttributeErrorType]int64)
	}
	f.counts[e]++
}

// record records a point for each error type, even if the count is 0: Prometheus' rate() and
// increase() miss the first failure of a series that starts with it.
func (f *failures) record(builder *metadata.MetricsBuilder, now pcommon.Timestamp) {
	for _, e := range metadata.MapAttributeErrorType {
		builder.RecordGoroutineScrapeFailuresDataPoint(now, f.counts[e], e)
	}
}

package goroutinereceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// failures counts the failed scrapes of a target by error type. It belongs to the target
// and not to the process behind it: neither a restart of that process nor a panic in a
// scrape resets it.
type failures struct {
	since  time.Time                             // when the receiver began with the target
	counts map[metadata.AttributeErrorType]int64 // nil if there were none
}

func newFailures() failures { return failures{since: time.Now()} }

func (f *failures) add(e metadata.AttributeErrorType) {
	if f.counts == nil {
		f.counts = make(map[metadata.AttributeErrorType]int64)
	}
	f.counts[e]++
}

// record records a point for each error type, also where the count is 0: in Prometheus a
// series that begins with its first failure has no increase, so rate() and increase()
// would miss that failure.
func (f *failures) record(builder *metadata.MetricsBuilder, now pcommon.Timestamp) {
	for _, e := range metadata.MapAttributeErrorType {
		builder.RecordGoroutineScrapeFailuresDataPoint(now, f.counts[e], e)
	}
}

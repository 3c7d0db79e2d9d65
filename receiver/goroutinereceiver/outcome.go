package goroutinereceiver

import (
	"time"

	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// outcomeLog logs changes in the outcome of a target's scrapes: a target that is down for a night
// causes one line, not a thousand.
type outcomeLog struct {
	// logger returns the logger of the target. It is created for each message, since there are
	// few.
	logger    func() *zap.Logger
	agedAfter time.Duration
	failure   metadata.AttributeErrorType // of the latest scrape; 0 if it succeeded
	source    stack.Source                // of the latest success
	// originFailure is why the latest trace for origins failed; 0 if it succeeded.
	originFailure metadata.AttributeErrorType
	// refused reports whether the next consumer refused the latest metrics.
	refused bool
}

// logDelivery logs when the next consumer begins to refuse metrics.
func (o *outcomeLog) logDelivery(err error) {
	if err != nil && !o.refused {
		o.logger().Warn("Metrics were refused by the next component", zap.Error(err))
	}
	o.refused = err != nil
}

// logRestart logs that the target is a new process.
func (o *outcomeLog) logRestart() {
	o.logger().Info("New process, its census starts over")
}

// earliestVerdict returns how long the processor leak_detect needs with its defaults to detect a
// leak: with a census, until goroutines are aged and have grown for min_duration; without one,
// until they have grown for max_lifetime.
func (o *outcomeLog) earliestVerdict(source stack.Source) time.Duration {
	if source == stack.SourceTrace {
		return o.agedAfter + defaultMinDuration
	}
	return defaultMaxLifetime
}

// The defaults of leak_detect.
const (
	defaultMinDuration = 30 * time.Minute
	defaultMaxLifetime = 12 * time.Hour
)

// logScrape logs the outcome of a scrape if it differs from the previous one.
func (o *outcomeLog) logScrape(c captureResult) {
	if c.err != nil {
		if failure := errorType(c.err); failure != o.failure {
			o.failure = failure
			o.logger().Warn("Scrape failed", zap.Stringer("error.type", failure), zap.Error(c.err))
		}
		return
	}
	if o.source == "" {
		o.logger().Info("First scrape", zap.Int("goroutines", c.snapshot.Count()), zap.String("source", string(c.source)),
			zap.Duration("earliest_verdict_at_defaults", o.earliestVerdict(c.source)))
	}
	if o.failure != 0 {
		o.failure = 0
		o.logger().Info("Scrape works again", zap.String("source", string(c.source)))
	}
	switch {
	case c.traceErr != nil && o.source != stack.SourceProfile:
		o.logger().Warn("Failed to take an execution trace, falling back to goroutine profiles: counts without ages", zap.Error(c.traceErr))
	case c.source == stack.SourceTrace && o.source == stack.SourceProfile:
		o.logger().Info("Execution traces work again")
	}
	o.source = c.source
}

// logOriginTrace logs the outcome of a trace for origins if it differs from the previous one. A
// trace of another client soon ends, so it is not logged.
func (o *outcomeLog) logOriginTrace(err error) {
	var failure metadata.AttributeErrorType
	switch endingOf(err) {
	case scout.Busy:
		return
	case scout.Failed:
		failure = errorType(err)
	}
	if failure != 0 && failure != o.originFailure {
		o.logger().Warn("Failed to trace where goroutines come from, will retry", zap.Error(err))
	}
	o.originFailure = failure
}

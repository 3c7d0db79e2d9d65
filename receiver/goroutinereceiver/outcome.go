package goroutinereceiver

import (
	"time"

	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// outcome logs how a target's scrapes come out, once for each change: a target
// that is down for a night makes one line, not a thousand.
type outcome struct {
	// logger returns the logger of the target. It is made for each message: there are few.
	logger    func() *zap.Logger
	agedAfter time.Duration
	failure   metadata.AttributeErrorType // of the latest scrape; 0 is a success
	source    stack.Source                // of the latest success
	// noOrigin is why the latest trace for origins could not be had; 0 is a success.
	noOrigin metadata.AttributeErrorType
	// refused tells that the next consumer did not take the latest metrics.
	refused bool
}

// passedOn notes whether the next consumer took the metrics.
func (o *outcome) passedOn(err error) {
	if err != nil && !o.refused {
		o.logger().Warn("Metrics were refused by the next component", zap.Error(err))
	}
	o.refused = err != nil
}

// restarted notes that the process behind the target is another one.
func (o *outcome) restarted() {
	o.logger().Info("The process is a new one: its census begins afresh")
}

// earliest returns how long it takes until the processor leak_detect with its defaults can
// tell that something leaks: with a census until goroutines are aged and have grown for its
// min_duration, without one until they have grown for its max_lifetime.
func (o *outcome) earliest(source stack.Source) time.Duration {
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

// note logs what came of a scrape.
func (o *outcome) note(c captured) {
	if c.err != nil {
		if failure := errorType(c.err); failure != o.failure {
			o.failure = failure
			o.logger().Warn("Scrape failed", zap.Stringer("error.type", failure), zap.Error(c.err))
		}
		return
	}
	if o.source == "" {
		o.logger().Info("First scrape", zap.Int("goroutines", c.snapshot.Count()), zap.String("source", string(c.source)),
			zap.Duration("earliest_verdict_in", o.earliest(c.source)))
	}
	if o.failure != 0 {
		o.failure = 0
		o.logger().Info("Scrape works again", zap.String("source", string(c.source)))
	}
	switch {
	case c.noTrace != nil && o.source != stack.SourceProfile:
		o.logger().Warn("No execution trace can be had, a goroutine profile takes its place: counts without ages", zap.Error(c.noTrace))
	case c.source == stack.SourceTrace && o.source == stack.SourceProfile:
		o.logger().Info("An execution trace can be had again")
	}
	o.source = c.source
}

// noteOrigins logs how a trace for origins came out. That somebody else traces is soon over.
func (o *outcome) noteOrigins(err error) {
	var failure metadata.AttributeErrorType
	switch endingOf(err) {
	case scout.Busy:
		return
	case scout.Failed:
		failure = errorType(err)
	}
	if failure != 0 && failure != o.noOrigin {
		o.logger().Warn("No trace can be had that tells where goroutines come from, it is tried again", zap.Error(err))
	}
	o.noOrigin = failure
}

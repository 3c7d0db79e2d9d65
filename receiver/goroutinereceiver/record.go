package goroutinereceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// recording is what one scrape emits.
type recording struct {
	builder   *metadata.MetricsBuilder
	records   *metadata.LogsBuilder
	lifetimes lifetimes
}

// emit returns what was recorded, and forgets it.
func (to *recording) emit(resource pcommon.Resource) (pmetric.Metrics, plog.Logs) {
	records := to.records.Emit(metadata.WithLogsResource(resource))
	metrics := to.builder.Emit(metadata.WithResource(resource))
	to.lifetimes.appendTo(metrics)
	to.lifetimes = lifetimes{}
	return metrics, records
}

// startingAt is the start of what is counted in the points that follow.
func startingAt(start time.Time) metadata.MetricBuilderOption {
	return metadata.WithStartTime(pcommon.NewTimestampFromTime(start))
}

// recordScrape records how the scrape itself went. Of a scrape that failed it is
// all there is: what was not seen is unknown, not zero.
func (t *target) recordScrape(to *recording, c captured, took time.Duration) {
	to.builder.Reset(startingAt(t.failures.since))
	now := pcommon.NewTimestampFromTime(time.Now())
	source := metadata.AttributeGoroutineScrapeSourceTrace
	if c.source == stack.SourceProfile {
		source = metadata.AttributeGoroutineScrapeSourceProfile
	}
	to.builder.RecordGoroutineScrapeDurationDataPoint(now, took.Seconds(), source)
	up := int64(1)
	if c.err != nil {
		up = 0
		t.failures.add(errorType(c.err))
	}
	to.builder.RecordGoroutineScrapeUpDataPoint(now, up)
	t.failures.record(to.builder, now)
}

// census records a report. Ages, exits and creations that are not known are
// left out.
func (to *recording) census(r *census.Report, at time.Time) {
	to.builder.Reset(startingAt(r.Start))
	now := pcommon.NewTimestampFromTime(at)
	to.builder.RecordGoGoroutineCountDataPoint(now, int64(r.Count))
	if r.Complete {
		to.builder.RecordGoroutineCreationsDataPoint(now, r.Creations)
	}
	for _, g := range r.Groups {
		group := signatureSet(g.Signature, g.Other)
		to.builder.RecordGoroutineStackCountDataPoint(now, int64(g.Count), group...)
		for i, b := range g.Bands {
			ageMin := r.Bounds[i].Seconds()
			if b.SendAged {
				to.builder.RecordGoroutineStackAgedCountDataPoint(now, int64(b.Aged), ageMin, group...)
			}
			if b.SendExits {
				to.builder.RecordGoroutineStackAgedExitsDataPoint(now, b.Exits, ageMin, group...)
			}
		}
	}
	for _, e := range r.Entries {
		entry := entryAttributes(e)
		to.builder.RecordGoroutineEntryCountDataPoint(now, int64(e.Count), entry...)
		for i, b := range e.Bands {
			ageMin := r.Bounds[i].Seconds()
			if b.SendAged {
				to.builder.RecordGoroutineEntryAgedCountDataPoint(now, int64(b.Aged), ageMin, entry...)
			}
			if b.SendExits {
				to.builder.RecordGoroutineEntryAgedExitsDataPoint(now, b.Exits, ageMin, entry...)
			}
		}
	}
}

// recordBuild records the build of the process, if it is known.
func (t *target) recordBuild(to *recording) {
	if t.build.id != "" {
		now := pcommon.NewTimestampFromTime(t.at)
		to.builder.RecordGoroutineProcessBuildDataPoint(now, 1, metadata.WithProcessExecutableBuildIDGnuMetricAttribute(t.build.id))
	}
}

// recordLeaks records what is proved of leaks, if anything is known.
func (t *target) recordLeaks(to *recording) {
	if t.leaks == nil {
		return
	}
	now := pcommon.NewTimestampFromTime(t.at)
	for _, row := range t.leaks.fresh() {
		to.builder.RecordGoroutineStackLeakedCountDataPoint(now, int64(row.Count), signatureSet(row.Signature, row.Other)...)
	}
}

// signatureSet returns the attributes of a group. The sum of all others has its
// name only, and what a stack did not tell is left out.
func signatureSet(s stack.Signature, other bool) []metadata.MetricAttributeOption {
	if other {
		return []metadata.MetricAttributeOption{metadata.WithGoroutineStackSignatureMetricAttribute(telemetry.SignatureOther)}
	}
	attributes := []metadata.MetricAttributeOption{
		metadata.WithGoroutineStackSignatureMetricAttribute(s.ID.String()),
		metadata.WithGoroutineStateMetricAttribute(string(s.State)),
		metadata.WithCodeFunctionNameMetricAttribute(s.Blamed.Function),
	}
	if s.Blamed.File != "" {
		attributes = append(attributes, metadata.WithCodeFilePathMetricAttribute(s.Blamed.File))
	}
	if s.Blamed.Line > 0 {
		attributes = append(attributes, metadata.WithCodeLineNumberMetricAttribute(int64(s.Blamed.Line)))
	}
	if s.Entry != "" {
		attributes = append(attributes, metadata.WithGoroutineEntryFunctionNameMetricAttribute(s.Entry))
	}
	return attributes
}

// entryAttributes returns the attributes of an entry. The sum of all others has its name only.
func entryAttributes(e census.Entry) []metadata.MetricAttributeOption {
	if e.Other {
		return []metadata.MetricAttributeOption{metadata.WithGoroutineEntryFunctionNameMetricAttribute(telemetry.SignatureOther)}
	}
	attributes := []metadata.MetricAttributeOption{metadata.WithGoroutineEntryFunctionNameMetricAttribute(e.Function)}
	if e.File != "" {
		attributes = append(attributes, metadata.WithGoroutineEntryFilePathMetricAttribute(e.File))
	}
	return attributes
}

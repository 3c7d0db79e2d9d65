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

// recording builds the metrics and records of one scrape.
type recording struct {
	builder   *metadata.MetricsBuilder
	records   *metadata.LogsBuilder
	lifetimes lifetimes
}

// emit returns the recorded data and resets rec.
func (rec *recording) emit(resource pcommon.Resource) (pmetric.Metrics, plog.Logs) {
	records := rec.records.Emit(metadata.WithLogsResource(resource))
	metrics := rec.builder.Emit(metadata.WithResource(resource))
	rec.lifetimes.appendTo(metrics)
	rec.lifetimes = lifetimes{}
	return metrics, records
}

// withStart sets the start timestamp of the points that follow.
func withStart(start time.Time) metadata.MetricBuilderOption {
	return metadata.WithStartTime(pcommon.NewTimestampFromTime(start))
}

// recordScrape records the metrics about the scrape. A failed scrape has no other metrics: what
// was not read is unknown, not zero.
func (t *target) recordScrape(rec *recording, c captureResult, took time.Duration) {
	rec.builder.Reset(withStart(t.failures.since))
	now := pcommon.NewTimestampFromTime(time.Now())
	source := metadata.AttributeGoroutineScrapeSourceTrace
	if c.source == stack.SourceProfile {
		source = metadata.AttributeGoroutineScrapeSourceProfile
	}
	rec.builder.RecordGoroutineScrapeDurationDataPoint(now, took.Seconds(), source)
	up := int64(1)
	if c.err != nil {
		up = 0
		t.failures.add(errorType(c.err))
	}
	rec.builder.RecordGoroutineScrapeUpDataPoint(now, up)
	t.failures.record(rec.builder, now)
}

// recordCensus records the known numbers of a report.
func (rec *recording) recordCensus(r *census.Report, at time.Time) {
	rec.builder.Reset(withStart(r.Start))
	now := pcommon.NewTimestampFromTime(at)
	rec.builder.RecordGoGoroutineCountDataPoint(now, int64(r.Count))
	if r.Complete {
		rec.builder.RecordGoroutineCreationsDataPoint(now, r.Creations)
	}
	for _, g := range r.Groups {
		group := signatureAttributes(g.Signature, g.Other)
		rec.builder.RecordGoroutineStackCountDataPoint(now, int64(g.Count), group...)
		for i, b := range g.Bands {
			ageMin := r.Bounds[i].Seconds()
			if b.SendAged {
				rec.builder.RecordGoroutineStackAgedCountDataPoint(now, int64(b.Aged), ageMin, group...)
			}
			if b.SendExits {
				rec.builder.RecordGoroutineStackAgedExitsDataPoint(now, b.Exits, ageMin, group...)
			}
		}
	}
	for _, e := range r.Entries {
		entry := entryAttributes(e)
		rec.builder.RecordGoroutineEntryCountDataPoint(now, int64(e.Count), entry...)
		for i, b := range e.Bands {
			ageMin := r.Bounds[i].Seconds()
			if b.SendAged {
				rec.builder.RecordGoroutineEntryAgedCountDataPoint(now, int64(b.Aged), ageMin, entry...)
			}
			if b.SendExits {
				rec.builder.RecordGoroutineEntryAgedExitsDataPoint(now, b.Exits, ageMin, entry...)
			}
		}
	}
}

// recordBuild records the build of the process, if it is known.
func (t *target) recordBuild(rec *recording) {
	if t.build.id != "" {
		now := pcommon.NewTimestampFromTime(t.censusAt)
		rec.builder.RecordGoroutineProcessBuildDataPoint(now, 1, metadata.WithProcessExecutableBuildIDGnuMetricAttribute(t.build.id))
	}
}

// recordLeaks records the proved leaks, if there is a current proof.
func (t *target) recordLeaks(rec *recording) {
	if t.leaks == nil {
		return
	}
	now := pcommon.NewTimestampFromTime(t.censusAt)
	for _, row := range t.leaks.currentProof() {
		rec.builder.RecordGoroutineStackLeakedCountDataPoint(now, int64(row.Count), signatureAttributes(row.Signature, row.Other)...)
	}
}

// signatureAttributes returns the known attributes of a group. The sum of all others has only the
// signature "other".
func signatureAttributes(s stack.Signature, other bool) []metadata.MetricAttributeOption {
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

// entryAttributes returns the attributes of an entry. The sum of all others has only the name
// "other".
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

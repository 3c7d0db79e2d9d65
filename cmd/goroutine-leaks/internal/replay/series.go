package replay

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// quantity is what a metric measures.
type quantity struct {
	kind detect.Kind
	part detect.Part
}

// Metrics of Prometheus' Go client.
const (
	plainCount = "go_goroutines"
	startTime  = "process_start_time_seconds"
)

// judgedMetrics has the judged metrics, by their names in Prometheus with default settings.
var judgedMetrics = map[string]quantity{
	plainCount:                                  {detect.Total, detect.Count},
	escape(telemetry.GoroutineCount):            {detect.Total, detect.Count},
	escape(telemetry.StackCount):                {detect.Stack, detect.Count},
	escape(telemetry.StackAgedCount):            {detect.Stack, detect.Aged},
	escape(telemetry.StackAgedExits):            {detect.Stack, detect.Exits},
	escape(telemetry.StackAgedExits + ".total"): {detect.Stack, detect.Exits},
	escape(telemetry.EntryCount):                {detect.Entry, detect.Count},
	escape(telemetry.EntryAgedCount):            {detect.Entry, detect.Aged},
	escape(telemetry.EntryAgedExits):            {detect.Entry, detect.Exits},
	escape(telemetry.EntryAgedExits + ".total"): {detect.Entry, detect.Exits},
}

// escape returns a name with the underscores that Prometheus substitutes.
func escape(name string) string { return strings.ReplaceAll(name, ".", "_") }

// processOf returns the process of a series, from the resource attributes that a collector turned
// into labels, or from the labels of the scrape target.
func processOf(labels map[string]string) judge.Process {
	p := judge.Process{
		Service:  cmp.Or(labels["service_name"], labels["job"], "unknown"),
		Instance: cmp.Or(labels["service_instance_id"], labels["pod"], labels["instance"]),
	}
	for _, namespace := range []string{"service_namespace", "k8s_namespace_name", "namespace"} {
		if n := labels[namespace]; n != "" {
			p.Service = n + "/" + p.Service
			break
		}
	}
	return p
}

// sampleOf returns a sample with the identity of a series. It reports whether the series is judged.
func sampleOf(labels map[string]string) (judge.Sample, bool) {
	q, known := judgedMetrics[labels["__name__"]]
	if !known {
		return judge.Sample{}, false
	}
	label := func(key string) string { return labels[escape(key)] }
	s := judge.Sample{
		Process: processOf(labels), Kind: q.kind, Part: q.part,
		Signature: label(telemetry.AttrSignature),
		Place: finding.Place{
			State: label(telemetry.AttrState), Function: label(telemetry.AttrFunction), File: label(telemetry.AttrFile),
			Entry: label(telemetry.AttrEntry), EntryFile: label(telemetry.AttrEntryFile),
		},
	}
	if line, err := strconv.Atoi(label(telemetry.AttrLine)); err == nil && line > 0 {
		s.Place.Line = line
	}
	if seconds, err := strconv.ParseFloat(label(telemetry.AttrAgeMin), 64); err == nil && seconds > 0 && seconds < maxTimestamp {
		s.Band = time.Duration(seconds * float64(time.Second))
	}
	s.Rest = s.Signature == telemetry.SignatureOther || s.Kind == detect.Entry && s.Place.Entry == telemetry.SignatureOther
	return s, true
}

// isValid reports whether a value is a number. Prometheus marks the end of a series with NaN.
func isValid(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

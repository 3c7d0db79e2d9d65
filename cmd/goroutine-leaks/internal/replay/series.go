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

// what is what a metric measures.
type what struct {
	kind detect.Kind
	part detect.Part
}

// The metrics of Prometheus' Go client.
const (
	plainCount = "go_goroutines"
	startTime  = "process_start_time_seconds"
)

// metrics are those that are judged, by the names that Prometheus makes of them by default.
var metrics = map[string]what{
	plainCount:                                {detect.Total, detect.Count},
	flat(telemetry.GoroutineCount):            {detect.Total, detect.Count},
	flat(telemetry.StackCount):                {detect.Stack, detect.Count},
	flat(telemetry.StackAgedCount):            {detect.Stack, detect.Aged},
	flat(telemetry.StackAgedExits):            {detect.Stack, detect.Exits},
	flat(telemetry.StackAgedExits + ".total"): {detect.Stack, detect.Exits},
	flat(telemetry.EntryCount):                {detect.Entry, detect.Count},
	flat(telemetry.EntryAgedCount):            {detect.Entry, detect.Aged},
	flat(telemetry.EntryAgedExits):            {detect.Entry, detect.Exits},
	flat(telemetry.EntryAgedExits + ".total"): {detect.Entry, detect.Exits},
}

func flat(name string) string { return strings.ReplaceAll(name, ".", "_") }

// processOf returns who a series is of: the resource that a collector made labels of, or
// what Prometheus calls its target.
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

// sampleOf returns what all samples of a series have in common.
func sampleOf(labels map[string]string) (judge.Sample, bool) {
	w, known := metrics[labels["__name__"]]
	if !known {
		return judge.Sample{}, false
	}
	label := func(key string) string { return labels[flat(key)] }
	s := judge.Sample{
		Process: processOf(labels), Kind: w.kind, Part: w.part,
		Signature: label(telemetry.AttrSignature),
		Place: finding.Place{
			State: label(telemetry.AttrState), Function: label(telemetry.AttrFunction), File: label(telemetry.AttrFile),
			Entry: label(telemetry.AttrEntry), EntryFile: label(telemetry.AttrEntryFile),
		},
	}
	if line, err := strconv.Atoi(label(telemetry.AttrLine)); err == nil && line > 0 {
		s.Place.Line = line
	}
	if seconds, err := strconv.ParseFloat(label(telemetry.AttrAgeMin), 64); err == nil && seconds > 0 && seconds < maxSeconds {
		s.Band = time.Duration(seconds * float64(time.Second))
	}
	s.Rest = s.Signature == telemetry.SignatureOther || s.Kind == detect.Entry && s.Place.Entry == telemetry.SignatureOther
	return s, true
}

// validValue tells numbers from what Prometheus writes where a series ended.
func validValue(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

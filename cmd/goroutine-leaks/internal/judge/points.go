package judge

import (
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// take hands what the detector says to the findings, as the metrics that the processor would
// write.
func (j *Judge) take(r *detect.Result) {
	for i := range r.Verdicts {
		j.verdict(&r.Verdicts[i])
	}
	for i := range r.Gone {
		j.verdict(&r.Gone[i])
		delete(j.labels, r.Gone[i].Group)
	}
	for _, ended := range r.Ended {
		j.ended(ended)
	}
}

func (j *Judge) verdict(v *detect.Verdict) {
	called, known := j.labels[v.Group]
	if !known || v.Finding == 0 {
		return
	}
	j.flag(v)
	attributes := with(called.group, telemetry.AttrLeakID, idText(v.Finding))
	add := func(metric string, value float64) {
		j.point(finding.Point{Metric: metric, Resource: called.resource, Attributes: attributes, At: time.Unix(0, v.At), Value: value})
	}
	if v.Service {
		add(telemetry.ServiceLeakSeverity, float64(v.Severity))
		add(telemetry.ServiceLeakCount, v.Leaked)
		add(telemetry.ServiceLeakGrowthRate, v.PerHour)
		add(telemetry.ServiceLeakInstanceCount, float64(v.Instances))
		return
	}
	add(telemetry.LeakSeverity, float64(v.Severity))
	add(telemetry.LeakCount, v.Leaked)
	add(telemetry.LeakGrowthRate, v.PerHour)
	if v.Severity > 0 {
		add(telemetry.LeakStartTime, float64(v.Since)/float64(time.Second))
		if v.Aged {
			add(telemetry.LeakAgeMin, v.AgeMin.Seconds())
			add(telemetry.LeakExits, v.Exits)
		}
	}
}

// instances tells of how many processes each service is judged.
func (j *Judge) instances(now time.Time, samples []Sample) {
	of := make(map[string]map[string]bool)
	for i := range samples {
		p := &samples[i].Process
		if of[p.Service] == nil {
			of[p.Service] = make(map[string]bool)
		}
		of[p.Service][p.Instance] = true
	}
	for service, all := range of {
		j.point(finding.Point{
			Metric: telemetry.ServiceInstanceCount, Resource: resourceOf(Process{Service: service}), Attributes: nothing, At: now, Value: float64(len(all)),
		})
	}
}

// ended tells why flags of a process ended.
func (j *Judge) ended(e detect.Ended) {
	var resource finding.Attributes
	for _, called := range j.labels {
		if called.process == e.Process {
			resource = called.resource
			break
		}
	}
	if resource == nil {
		return
	}
	for i, reason := range detect.Ends() {
		j.point(finding.Point{
			Metric: telemetry.LeakEnded, Resource: resource,
			Attributes: with(nothing, telemetry.AttrLeakEndReason, string(reason)),
			Start:      time.Unix(0, e.Since), At: time.Unix(0, e.At), Value: float64(e.Counts[i]),
		})
	}
}

// nothing is the attributes of what has none.
func nothing(string) string { return "" }

// metrics are the names of what is measured, by kind and part.
var metrics = map[detect.Kind]map[detect.Part]string{
	detect.Stack: {detect.Count: telemetry.StackCount, detect.Aged: telemetry.StackAgedCount, detect.Exits: telemetry.StackAgedExits},
	detect.Entry: {detect.Count: telemetry.EntryCount, detect.Aged: telemetry.EntryAgedCount, detect.Exits: telemetry.EntryAgedExits},
	detect.Total: {detect.Count: telemetry.GoroutineCount},
}

// measured hands what was measured to the page.
func (j *Judge) measured(samples []Sample) {
	for _, s := range samples {
		attributes := attributesOf(s.Place, s.Signature)
		if s.Part != detect.Count {
			attributes = with(attributes, telemetry.AttrAgeMin, strconv.FormatFloat(s.Band.Seconds(), 'g', -1, 64))
		}
		j.point(finding.Point{
			Metric: metrics[s.Kind][s.Part], Resource: resourceOf(s.Process), Attributes: attributes, Start: s.Start, At: s.At, Value: s.Value,
		})
	}
}

// Looked takes how a look at a process went: of which build it is, empty if that is unknown, and
// what its census says, or that it could not be looked at.
func (j *Judge) Looked(p Process, build string, at time.Time, r *census.Report, failed bool) {
	add := func(metric string, value float64, attributes finding.Attributes) {
		j.point(finding.Point{Metric: metric, Resource: resourceOf(p), Attributes: attributes, Start: r.Start, At: at, Value: value})
	}
	if failed {
		add(telemetry.ScrapeUp, 0, nothing)
		return
	}
	add(telemetry.ScrapeUp, 1, nothing)
	add(telemetry.GoroutineCount, float64(r.Count), nothing)
	if r.Complete {
		add(telemetry.GoroutineCreations, float64(r.Creations), nothing)
	}
	if build != "" {
		add(telemetry.ProcessBuild, 1, with(nothing, telemetry.AttrBuildID, build))
	}
}

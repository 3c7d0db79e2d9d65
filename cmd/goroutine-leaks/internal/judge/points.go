package judge

import (
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// addVerdicts adds the results of the detector, as the metrics that the processor would write.
func (j *Judge) addVerdicts(r *detect.Result) {
	for i := range r.Verdicts {
		j.addVerdict(&r.Verdicts[i])
	}
	for i := range r.Gone {
		j.addVerdict(&r.Gone[i])
		delete(j.labels, r.Gone[i].Group)
	}
	for _, ended := range r.Ended {
		j.addEnded(ended)
	}
}

func (j *Judge) addVerdict(v *detect.Verdict) {
	label, known := j.labels[v.Group]
	if !known || v.Finding == 0 {
		return
	}
	j.rememberVerdict(v)
	attributes := withAttribute(label.group, telemetry.AttrLeakID, idText(v.Finding))
	add := func(metric string, value float64) {
		j.addPoint(finding.Point{Metric: metric, Resource: label.resource, Attributes: attributes, At: time.Unix(0, v.At), Value: value})
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

// addInstanceCounts adds the number of instances of each service.
func (j *Judge) addInstanceCounts(now time.Time, samples []Sample) {
	instances := make(map[string]map[string]bool) // by service
	for i := range samples {
		p := &samples[i].Process
		if instances[p.Service] == nil {
			instances[p.Service] = make(map[string]bool)
		}
		instances[p.Service][p.Instance] = true
	}
	for service, names := range instances {
		j.addPoint(finding.Point{
			Metric: telemetry.ServiceInstanceCount, Resource: resourceOf(Process{Service: service}), Attributes: noAttributes, At: now, Value: float64(len(names)),
		})
	}
}

// addEnded adds the number of ended flags of a process, by reason.
func (j *Judge) addEnded(e detect.Ended) {
	var resource finding.Attributes
	for _, label := range j.labels {
		if label.process == e.Process {
			resource = label.resource
			break
		}
	}
	if resource == nil {
		return
	}
	for i, reason := range detect.Ends() {
		j.addPoint(finding.Point{
			Metric: telemetry.LeakEnded, Resource: resource,
			Attributes: withAttribute(noAttributes, telemetry.AttrLeakEndReason, string(reason)),
			Start:      time.Unix(0, e.Since), At: time.Unix(0, e.At), Value: float64(e.Counts[i]),
		})
	}
}

func noAttributes(string) string { return "" }

// metricNames has the metrics of samples.
var metricNames = map[detect.Kind]map[detect.Part]string{
	detect.Stack: {detect.Count: telemetry.StackCount, detect.Aged: telemetry.StackAgedCount, detect.Exits: telemetry.StackAgedExits},
	detect.Entry: {detect.Count: telemetry.EntryCount, detect.Aged: telemetry.EntryAgedCount, detect.Exits: telemetry.EntryAgedExits},
	detect.Total: {detect.Count: telemetry.GoroutineCount},
}

// addSamples adds samples to the findings and to the page, as the metrics that the receiver would write.
func (j *Judge) addSamples(samples []Sample) {
	for _, s := range samples {
		attributes := attributesOf(s.Place, s.Signature)
		if s.Part != detect.Count {
			attributes = withAttribute(attributes, telemetry.AttrAgeMin, strconv.FormatFloat(s.Band.Seconds(), 'g', -1, 64))
		}
		j.addPoint(finding.Point{
			Metric: metricNames[s.Kind][s.Part], Resource: resourceOf(s.Process), Attributes: attributes, Start: s.Start, At: s.At, Value: s.Value,
		})
	}
}

// ObserveProcess adds the state of a process after a look: its build, empty if unknown, and the
// totals of its census, or that the look failed.
func (j *Judge) ObserveProcess(p Process, build string, at time.Time, r *census.Report, failed bool) {
	add := func(metric string, value float64, attributes finding.Attributes) {
		j.addPoint(finding.Point{Metric: metric, Resource: resourceOf(p), Attributes: attributes, Start: r.Start, At: at, Value: value})
	}
	if failed {
		add(telemetry.ScrapeUp, 0, noAttributes)
		return
	}
	add(telemetry.ScrapeUp, 1, noAttributes)
	add(telemetry.GoroutineCount, float64(r.Count), noAttributes)
	if r.Complete {
		add(telemetry.GoroutineCreations, float64(r.Creations), noAttributes)
	}
	if build != "" {
		add(telemetry.ProcessBuild, 1, withAttribute(noAttributes, telemetry.AttrBuildID, build))
	}
}

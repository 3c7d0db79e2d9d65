package judge

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// take hands what the detector says to the findings, as the metrics that the processor would
// write.
func (j *Judge) take(r *detect.Result) {
	for i := range r.Verdicts {
		j.point(&r.Verdicts[i])
	}
	for i := range r.Gone {
		j.point(&r.Gone[i])
		delete(j.labels, r.Gone[i].Group)
	}
	for _, ended := range r.Ended {
		j.ended(ended)
	}
}

func (j *Judge) point(v *detect.Verdict) {
	called, known := j.labels[v.Group]
	if !known || v.Finding == 0 {
		return
	}
	attributes := with(called.group, telemetry.AttrLeakID, idText(v.Finding))
	add := func(metric string, value float64) {
		j.book.Observe(finding.Point{Metric: metric, Resource: called.resource, Attributes: attributes, At: time.Unix(0, v.At), Value: value})
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
		j.book.Observe(finding.Point{
			Metric: telemetry.LeakEnded, Resource: resource,
			Attributes: func(key string) string {
				if key == telemetry.AttrLeakEndReason {
					return string(reason)
				}
				return ""
			},
			Start: time.Unix(0, e.Since), At: time.Unix(0, e.At), Value: float64(e.Counts[i]),
		})
	}
}

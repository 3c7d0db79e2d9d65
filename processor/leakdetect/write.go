package leakdetect

import (
	"maps"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// leakMetric describes a metric that flags leaks.
type leakMetric struct {
	name, unit, description string
	set                     func(pmetric.NumberDataPoint, finding)
	// applies reports whether a finding has a point of the metric.
	applies func(finding) bool
}

// goroutineLeakMetrics returns the metrics that flag goroutines.
func goroutineLeakMetrics() []leakMetric {
	return []leakMetric{
		{telemetry.LeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity, isGoroutine},
		{telemetry.LeakCount, telemetry.UnitGoroutine, "Goroutines believed leaked now.", setLeaked, isGoroutine},
		{telemetry.LeakGrowthRate, telemetry.UnitGoroutinesPerHour, "Growth rate of the leaked goroutines.", setGrowthRate, isGoroutine},
		{telemetry.LeakStartTime, telemetry.UnitSeconds, "When the leaked goroutines began to accumulate, in Unix seconds.", setStartTime, isFlagged},
		{telemetry.LeakAgeMin, telemetry.UnitSeconds, "Lower bound of the age band in which the leaked goroutines accumulate.", setAgeMin, hasAge},
		{telemetry.LeakExits, telemetry.UnitGoroutine, "Goroutines of that age band that have exited since the leak was flagged.", setExits, hasAge},
	}
}

// serviceLeakMetrics returns the metrics that flag goroutines of a service.
func serviceLeakMetrics() []leakMetric {
	return []leakMetric{
		{telemetry.ServiceLeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity, isGoroutine},
		{telemetry.ServiceLeakCount, telemetry.UnitGoroutine, "Goroutines believed leaked now, in all instances.", setLeaked, isGoroutine},
		{telemetry.ServiceLeakGrowthRate, telemetry.UnitGoroutinesPerHour, "Growth rate of the leaked goroutines, in all instances.", setGrowthRate, isGoroutine},
		{telemetry.ServiceLeakInstanceCount, telemetry.UnitInstance, "Instances with leaked goroutines.", setInstances, isGoroutine},
	}
}

// memoryLeakMetrics returns the metrics that flag memory.
func memoryLeakMetrics() []leakMetric {
	return []leakMetric{
		{telemetry.MemoryLeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity, isMemory},
		{telemetry.MemoryLeakSize, telemetry.UnitBytes, "Memory believed leaked now.", setLeaked, isMemory},
		{telemetry.MemoryLeakGrowthRate, telemetry.UnitBytesPerHour, "Growth rate of the leaked memory.", setGrowthRate, isMemory},
	}
}

const severityDescription = "Severity of the leak: 0 ended, 1 suspected, 2 probable, 3 confirmed."

func isMemory(f finding) bool    { return f.Kind == detect.Memory }
func isGoroutine(f finding) bool { return f.Kind != detect.Memory }
func isFlagged(f finding) bool   { return isGoroutine(f) && f.Severity > growth.None }
func hasAge(f finding) bool      { return isFlagged(f) && f.Aged }

func setSeverity(p pmetric.NumberDataPoint, f finding) { p.SetIntValue(int64(f.Severity)) }

func setLeaked(p pmetric.NumberDataPoint, f finding) { p.SetIntValue(int64(math.Round(f.Leaked))) }

func setInstances(p pmetric.NumberDataPoint, f finding) { p.SetIntValue(int64(f.Instances)) }

func setGrowthRate(p pmetric.NumberDataPoint, f finding) { p.SetDoubleValue(f.PerHour) }

func setStartTime(p pmetric.NumberDataPoint, f finding) { p.SetDoubleValue(float64(f.Since) / 1e9) }

func setAgeMin(p pmetric.NumberDataPoint, f finding) { p.SetDoubleValue(f.AgeMin.Seconds()) }

func setExits(p pmetric.NumberDataPoint, f finding) { p.SetIntValue(int64(math.Round(f.Exits))) }

// appendFindings appends the findings and the counts of ended flags to their resources, each in
// one new scope, and findings about services in new resources. It does not change existing data.
// It skips resources that another leak_detect has flagged, since their streams exist already.
func appendFindings(md pmetric.Metrics, b *batch, version string) {
	findings := make(map[int][]finding)
	services := make(map[detect.ID][]finding)
	for _, f := range b.findings {
		if f.Service {
			services[f.Process] = append(services[f.Process], f)
		} else {
			findings[f.resourceIndex] = append(findings[f.resourceIndex], f)
		}
	}
	endings := make(map[int][]detect.Ended)
	for _, e := range b.ended {
		endings[e.resourceIndex] = append(endings[e.resourceIndex], e.Ended)
	}
	for i, rm := range md.ResourceMetrics().All() {
		if len(findings[i])+len(endings[i]) > 0 && !b.isAlreadyFlagged(rm.Resource().Attributes()) {
			scope := appendScope(rm, version)
			for _, e := range slices.Concat(goroutineLeakMetrics(), memoryLeakMetrics()) {
				appendMetric(scope, e, findings[i])
			}
			appendEnded(scope, endings[i])
		}
	}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		if b.isAlreadyFlagged(services[service][0].service) {
			continue
		}
		rm := md.ResourceMetrics().AppendEmpty()
		services[service][0].service.CopyTo(rm.Resource().Attributes())
		scope := appendScope(rm, version)
		for _, e := range serviceLeakMetrics() {
			appendMetric(scope, e, services[service])
		}
		appendInstances(scope, services[service])
	}
}

func appendScope(rm pmetric.ResourceMetrics, version string) pmetric.MetricSlice {
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	sm.Scope().SetVersion(version)
	return sm.Metrics()
}

// appendInstances appends the number of instances of the service of findings.
func appendInstances(metrics pmetric.MetricSlice, findings []finding) {
	m := newMetric(metrics, telemetry.ServiceInstanceCount, telemetry.UnitInstance, "Watched instances of the service.")
	points := m.SetEmptyGauge().DataPoints()
	for i, f := range findings {
		if i > 0 && f.At == findings[i-1].At {
			continue
		}
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.Timestamp(f.At))
		p.SetIntValue(int64(f.Of))
	}
}

// appendMetric appends the metric with a point for each finding to which it applies. Without
// findings it appends nothing.
func appendMetric(metrics pmetric.MetricSlice, e leakMetric, findings []finding) {
	if !slices.ContainsFunc(findings, e.applies) {
		return
	}
	m := newMetric(metrics, e.name, e.unit, e.description)
	points := m.SetEmptyGauge().DataPoints()
	for _, f := range findings {
		if e.applies(f) {
			e.set(appendPoint(points, f), f)
		}
	}
}

// appendEnded appends the counts of ended flags of a process.
func appendEnded(metrics pmetric.MetricSlice, endings []detect.Ended) {
	if len(endings) == 0 {
		return
	}
	m := newMetric(metrics, telemetry.LeakEnded, telemetry.UnitLeak, endedDescription)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, e := range endings {
		for i, reason := range detect.Ends() {
			p := sum.DataPoints().AppendEmpty()
			p.SetStartTimestamp(pcommon.Timestamp(e.Since))
			p.SetTimestamp(pcommon.Timestamp(e.At))
			p.SetIntValue(int64(e.Counts[i]))
			p.Attributes().PutStr(telemetry.AttrLeakEndReason, string(reason))
		}
	}
}

const endedDescription = "Leaks that are no longer flagged, by reason."

func newMetric(metrics pmetric.MetricSlice, name, unit, description string) pmetric.Metric {
	m := metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	return m
}

// appendPoint appends a point with the attributes of a finding. Its timestamp is the time of the
// observation, which may be from an earlier batch.
func appendPoint(points pmetric.NumberDataPointSlice, f finding) pmetric.NumberDataPoint {
	p := points.AppendEmpty()
	p.SetTimestamp(pcommon.Timestamp(f.At))
	f.attributes.CopyTo(p.Attributes())
	if isGoroutine(f) {
		p.Attributes().PutStr(telemetry.AttrLeakID, f.id())
	}
	if f.metric != "" {
		p.Attributes().PutStr(telemetry.AttrLeakMetric, f.metric)
	}
	return p
}

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

// emitted describes one of the metrics that flag a leak.
type emitted struct {
	name, unit, description string
	set                     func(pmetric.NumberDataPoint, finding)
	// has tells whether a finding has a point of it.
	has func(finding) bool
}

// goroutineLeak returns the metrics that flag goroutines.
func goroutineLeak() []emitted {
	return []emitted{
		{telemetry.LeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity, isGoroutine},
		{telemetry.LeakCount, telemetry.UnitGoroutine, "Goroutines believed leaked now.", setLeaked, isGoroutine},
		{telemetry.LeakGrowthRate, telemetry.UnitGoroutinesPerHour, "How fast the leaked goroutines grow in number.", setGrowthRate, isGoroutine},
		{telemetry.LeakStartTime, telemetry.UnitSeconds, "When the leaked goroutines began to gather, in Unix seconds.", setStartTime, isFlagged},
		{telemetry.LeakAgeMin, telemetry.UnitSeconds, "The age above which no goroutines should gather, and these do.", setAgeMin, hasAge},
		{telemetry.LeakExits, telemetry.UnitGoroutine, "Goroutines of that age that have left since the leak was flagged there.", setExits, hasAge},
	}
}

// serviceLeak returns the metrics that flag goroutines of a service.
func serviceLeak() []emitted {
	return []emitted{
		{telemetry.ServiceLeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity, isGoroutine},
		{telemetry.ServiceLeakCount, telemetry.UnitGoroutine, "Goroutines believed leaked now, in all instances.", setLeaked, isGoroutine},
		{telemetry.ServiceLeakGrowthRate, telemetry.UnitGoroutinesPerHour, "How fast the leaked goroutines grow in number, in all instances.", setGrowthRate, isGoroutine},
		{telemetry.ServiceLeakInstanceCount, telemetry.UnitInstance, "Instances in which goroutines have leaked.", setInstances, isGoroutine},
	}
}

// memoryLeak returns the metrics that flag memory.
func memoryLeak() []emitted {
	return []emitted{
		{telemetry.MemoryLeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity, isMemory},
		{telemetry.MemoryLeakSize, telemetry.UnitBytes, "Memory believed leaked now.", setLeaked, isMemory},
		{telemetry.MemoryLeakGrowthRate, telemetry.UnitBytesPerHour, "How fast the leaked memory grows.", setGrowthRate, isMemory},
	}
}

const severityDescription = "How sure it is that this leaks: 0 not any more, 1 suspected, 2 probable, 3 confirmed."

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

// write appends the findings to the resources that they were made in, each in one
// scope of our own, and how many flags have ended; and those about services in resources of
// their own. It adds nothing else, changes nothing that is there, and leaves out resources in
// which leaks are flagged already, whose streams would come twice.
func write(md pmetric.Metrics, b *batch, version string) {
	findings := make(map[int][]finding)
	services := make(map[detect.ID][]finding)
	for _, f := range b.findings {
		if f.Service {
			services[f.Process] = append(services[f.Process], f)
		} else {
			findings[f.origin] = append(findings[f.origin], f)
		}
	}
	endings := make(map[int][]detect.Ended)
	for _, e := range b.endings {
		endings[e.origin] = append(endings[e.origin], e.Ended)
	}
	for i, rm := range md.ResourceMetrics().All() {
		if len(findings[i])+len(endings[i]) > 0 && !b.isTaken(rm.Resource().Attributes()) {
			scope := appendScope(rm, version)
			for _, e := range slices.Concat(goroutineLeak(), memoryLeak()) {
				appendMetric(scope, e, findings[i])
			}
			appendEnded(scope, endings[i])
		}
	}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		if b.isTaken(services[service][0].service) {
			continue
		}
		rm := md.ResourceMetrics().AppendEmpty()
		services[service][0].service.CopyTo(rm.Resource().Attributes())
		scope := appendScope(rm, version)
		for _, e := range serviceLeak() {
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

// appendInstances appends how many instances a service has, of which something is said.
func appendInstances(metrics pmetric.MetricSlice, findings []finding) {
	m := newMetric(metrics, telemetry.ServiceInstanceCount, telemetry.UnitInstance, "Instances of the service that are watched.")
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

// appendMetric appends the metric with a point for each finding that belongs to
// it; without one, nothing.
func appendMetric(metrics pmetric.MetricSlice, e emitted, findings []finding) {
	if !slices.ContainsFunc(findings, e.has) {
		return
	}
	m := newMetric(metrics, e.name, e.unit, e.description)
	points := m.SetEmptyGauge().DataPoints()
	for _, f := range findings {
		if e.has(f) {
			e.set(appendPoint(points, f), f)
		}
	}
}

// appendEnded appends how many flags of goroutines have ended in a process.
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

const endedDescription = "Leaks that are not flagged any more, by the reason."

func newMetric(metrics pmetric.MetricSlice, name, unit, description string) pmetric.Metric {
	m := metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	return m
}

// appendPoint appends a point of the stream that belongs to a finding. It has the time of
// the observation, which may have come with an earlier batch.
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

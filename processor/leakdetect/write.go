package leakdetect

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// emitted describes one of the metrics that flag a leak.
type emitted struct {
	name, unit, description string
	set                     func(pmetric.NumberDataPoint, finding)
}

// goroutineLeak returns the metrics that flag goroutines.
func goroutineLeak() [3]emitted {
	return [...]emitted{
		{telemetry.LeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity},
		{telemetry.LeakCount, telemetry.UnitGoroutine, "Goroutines believed leaked now.", setLeaked},
		{telemetry.LeakGrowthRate, telemetry.UnitGoroutinesPerHour, "How fast the leaked goroutines grow in number.", setGrowthRate},
	}
}

// memoryLeak returns the metrics that flag memory.
func memoryLeak() [3]emitted {
	return [...]emitted{
		{telemetry.MemoryLeakSeverity, telemetry.UnitSeverity, severityDescription, setSeverity},
		{telemetry.MemoryLeakSize, telemetry.UnitBytes, "Memory believed leaked now.", setLeaked},
		{telemetry.MemoryLeakGrowthRate, telemetry.UnitBytesPerHour, "How fast the leaked memory grows.", setGrowthRate},
	}
}

const severityDescription = "How sure it is that this leaks: 0 not any more, 1 suspected, 2 probable, 3 confirmed."

func setSeverity(p pmetric.NumberDataPoint, f finding) {
	p.SetIntValue(int64(f.verdict.Severity))
}

func setLeaked(p pmetric.NumberDataPoint, f finding) {
	p.SetIntValue(int64(math.Round(f.verdict.Leaked)))
}

func setGrowthRate(p pmetric.NumberDataPoint, f finding) {
	p.SetDoubleValue(f.verdict.PerHour)
}

// write appends the findings to the resources that they were made in, each in one
// scope of our own. It adds nothing else and changes nothing that is there.
func write(md pmetric.Metrics, findings []finding, version string) {
	slices.SortStableFunc(findings, func(a, b finding) int { return a.origin - b.origin })
	for len(findings) > 0 {
		origin := findings[0].origin
		n := slices.IndexFunc(findings, func(f finding) bool { return f.origin != origin })
		if n < 0 {
			n = len(findings)
		}
		scope := newScope(findings[:n], version)
		scope.MoveTo(md.ResourceMetrics().At(origin).ScopeMetrics().AppendEmpty())
		findings = findings[n:]
	}
}

func newScope(findings []finding, version string) pmetric.ScopeMetrics {
	sm := pmetric.NewScopeMetrics()
	sm.Scope().SetName(metadata.ScopeName)
	sm.Scope().SetVersion(version)
	isMemory := func(f finding) bool { return f.family == memoryFamily }
	isGoroutine := func(f finding) bool { return f.family != memoryFamily }
	for _, e := range goroutineLeak() {
		appendMetric(sm.Metrics(), e, findings, isGoroutine)
	}
	for _, e := range memoryLeak() {
		appendMetric(sm.Metrics(), e, findings, isMemory)
	}
	return sm
}

// appendMetric appends the metric with a point for each finding that belongs to
// it; without one, nothing.
func appendMetric(metrics pmetric.MetricSlice, e emitted, findings []finding, belongs func(finding) bool) {
	if !slices.ContainsFunc(findings, belongs) {
		return
	}
	m := metrics.AppendEmpty()
	m.SetName(e.name)
	m.SetUnit(e.unit)
	m.SetDescription(e.description)
	points := m.SetEmptyGauge().DataPoints()
	for _, f := range findings {
		if belongs(f) {
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.Timestamp(f.at))
			f.attributes.CopyTo(p.Attributes())
			if f.metric != "" {
				p.Attributes().PutStr(telemetry.AttrLeakMetric, f.metric)
			}
			e.set(p, f)
		}
	}
}

package leakevents

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// appendRecord appends a change as a log record, in a resource that has the attributes of the
// service and nothing else.
func appendRecord(to plog.Logs, c finding.Change, now time.Time, runbookURL, version string) {
	rl := to.ResourceLogs().AppendEmpty()
	putService(rl.Resource().Attributes(), c.Finding.Service)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(version)
	record := sl.LogRecords().AppendEmpty()
	record.SetEventName(telemetry.EventLeak)
	record.SetTimestamp(pcommon.NewTimestampFromTime(c.At))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	number := severityOf(c)
	record.SetSeverityNumber(number)
	record.SetSeverityText(number.String())
	record.Body().SetStr(c.Text)
	putChange(record.Attributes(), c, runbookURL)
}

// severityOf returns the severity of a record: that of the leak, as alerts have it. What
// is better than it was is for information.
func severityOf(c finding.Change) plog.SeverityNumber {
	switch c.Kind {
	case finding.Lowered, finding.Ended, finding.ClosedByVersion:
		return plog.SeverityNumberInfo
	}
	switch c.Finding.Severity {
	case finding.Confirmed:
		return plog.SeverityNumberError
	case finding.Probable:
		return plog.SeverityNumberWarn
	default:
		return plog.SeverityNumberInfo
	}
}

func putService(to pcommon.Map, s finding.Service) {
	for _, a := range [...]struct{ key, value string }{
		{"service.name", s.Name},
		{"service.namespace", s.Namespace},
		{"deployment.environment.name", s.Environment},
		{"k8s.cluster.name", s.Cluster},
		{"k8s.namespace.name", s.K8sNamespace},
	} {
		put(to, a.key, a.value)
	}
}

func putChange(to pcommon.Map, c finding.Change, runbookURL string) {
	f := c.Finding
	for _, a := range [...]struct{ key, value string }{
		{telemetry.AttrLeakID, f.ID},
		{telemetry.AttrLeakChange, string(c.Kind)},
		{telemetry.AttrLeakEndReason, string(f.Reason)},
		{telemetry.AttrLeakCertainty, f.Severity.String()},
		{telemetry.AttrState, f.Head.State},
		{telemetry.AttrFunction, f.Head.Function},
		{telemetry.AttrFile, f.Head.File},
		{telemetry.AttrEntry, f.Head.Entry},
		{telemetry.AttrEntryFile, f.Head.EntryFile},
		{telemetry.AttrLeakClass, string(f.Class)},
		{telemetry.AttrLeakPage, runbookURL + "/" + f.Page},
		{telemetry.AttrLeakVersionFirst, f.FirstVersion},
		{telemetry.AttrLeakVersionLast, f.LastVersion},
		{telemetry.AttrLeakVersionClosedBy, f.ClosedBy},
	} {
		put(to, a.key, a.value)
	}
	if f.Head.Line > 0 {
		to.PutInt(telemetry.AttrLine, int64(f.Head.Line))
	}
	putOrigins(to, f)
	if f.Status != finding.Open {
		return
	}
	to.PutInt(telemetry.AttrLeakCount, whole(f.Count))
	to.PutDouble(telemetry.AttrLeakGrowthRate, f.PerHour)
	to.PutInt(telemetry.AttrLeakInstanceCount, int64(f.Instances))
	to.PutInt(telemetry.AttrLeakMemorySize, whole(f.Memory.Held))
}

// putOrigins puts what starts most of the goroutines, and what wakes most of their healthy siblings.
func putOrigins(to pcommon.Map, f finding.Finding) {
	if len(f.Creators) > 0 {
		c := f.Creators[0]
		put(to, telemetry.AttrCreatorType, c.Launch)
		putLine(to, c.Statement, telemetry.AttrCreatorFunction, telemetry.AttrCreatorFile, telemetry.AttrCreatorLine)
		if c.Own {
			putLine(to, c.Told(), telemetry.AttrCreatorOwnFunction, telemetry.AttrCreatorOwnFile, telemetry.AttrCreatorOwnLine)
		}
	}
	if len(f.Wakers) > 0 {
		w := f.Wakers[0]
		putLine(to, w.Told(), telemetry.AttrWakerFunction, telemetry.AttrWakerFile, telemetry.AttrWakerLine)
		put(to, telemetry.AttrWakerCall, w.Call)
	}
}

func putLine(to pcommon.Map, l finding.Line, function, file, line string) {
	put(to, function, l.Function)
	put(to, file, l.File)
	if l.Line > 0 {
		to.PutInt(line, int64(l.Line))
	}
}

func put(to pcommon.Map, key, value string) {
	if value != "" {
		to.PutStr(key, value)
	}
}

// whole returns a number that may be larger than any integer as one.
func whole(n float64) int64 { return int64(math.Round(min(n, 1<<53))) }

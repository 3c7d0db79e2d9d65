package leakevents

import (
	"fmt"
	"math"
	"strconv"
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

// severityOf returns the severity of a record: that of the leak, as in the alerts, unless the change
// is an improvement or only adds the origin.
func severityOf(c finding.Change) plog.SeverityNumber {
	switch c.Kind {
	case finding.Lowered, finding.Explained, finding.Ended, finding.ClosedByVersion:
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

// putChange writes all facts about the leak after a change; numbers only if it is open.
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
		{telemetry.AttrLeakModule, f.Head.Module()},
		{telemetry.AttrLeakClass, string(f.Class)},
		{telemetry.AttrLeakPage, runbookURL + "/" + f.Page},
		{telemetry.AttrLeakVersionFirst, f.FirstVersion},
		{telemetry.AttrLeakVersionLast, f.LastVersion},
		{telemetry.AttrLeakVersionClosedBy, f.ClosedBy},
		{telemetry.AttrLeakAcquittal, f.Acquittal},
	} {
		put(to, a.key, a.value)
	}
	if c.Was > finding.None {
		to.PutStr(telemetry.AttrLeakCertaintyBefore, c.Was.String())
	}
	putInt(to, telemetry.AttrLine, f.Head.Line)
	putAll(to, telemetry.AttrLeakPlaces, f.Places, placeText)
	putOrigins(to, &f)
	putAll(to, telemetry.AttrLeakCreators, f.Creators, originText)
	putAll(to, telemetry.AttrLeakWakers, f.Wakers, originText)
	putTrue(to, telemetry.AttrLeakIntroduced, f.Introduced)
	putTime(to, telemetry.AttrLeakStartTime, f.Began)
	putTime(to, telemetry.AttrLeakDetectedTime, f.Detected)
	if c.Kind == finding.ClosedByVersion {
		putTrue(to, telemetry.AttrLeakVersionAtLatest, f.AtLatest)
		to.PutInt(telemetry.AttrLeakMissing, roundToInt(f.Missing))
	}
	if f.Status == finding.Open {
		putNumbers(to, &f)
	}
}

// putNumbers writes the size of a leak, and the limit that it will reach first.
func putNumbers(to pcommon.Map, f *finding.Finding) {
	to.PutInt(telemetry.AttrLeakCount, roundToInt(f.Count))
	to.PutDouble(telemetry.AttrLeakGrowthRate, f.PerHour)
	if f.Age > 0 {
		to.PutDouble(telemetry.AttrLeakAge, f.Age.Seconds())
	}
	if f.Exits >= 0 {
		to.PutInt(telemetry.AttrLeakExits, roundToInt(f.Exits))
	}
	to.PutInt(telemetry.AttrLeakInstanceCount, int64(f.Instances))
	to.PutInt(telemetry.AttrServiceInstances, int64(f.Of))
	putAll(to, telemetry.AttrLeakInstances, f.Worst, func(i finding.Instance) string { return i.Name })

	m := f.Memory
	to.PutInt(telemetry.AttrLeakMemorySize, roundToInt(m.Held))
	to.PutInt(telemetry.AttrLeakMemoryEach, roundToInt(m.PerGoroutine))
	to.PutInt(telemetry.AttrLeakMemoryStack, roundToInt(m.Stack))
	putTrue(to, telemetry.AttrLeakMemoryAtLeast, m.AtLeast)
	if !m.AtLeast {
		to.PutInt(telemetry.AttrLeakMemoryError, roundToInt(m.Error))
	}
	if l := f.Limit; l.Kind != "" {
		to.PutStr(telemetry.AttrLeakLimitKind, string(l.Kind))
		to.PutDouble(telemetry.AttrLeakLimitValue, l.Value)
		to.PutDouble(telemetry.AttrLeakLimitTime, l.In.Seconds())
		put(to, telemetry.AttrLeakLimitInstance, l.Instance)
		putTrue(to, telemetry.AttrLeakLimitLearned, l.Learned)
	}
}

// originText returns an origin as one text: "62% shop/order.checkOut (/src/shop/order.go:41)".
func originText(o finding.Origin) string {
	text := lineText(o.Function, o.File, o.Line)
	if text == "" {
		text = o.String() // a timer, or C
	}
	return fmt.Sprintf("%.0f%% %s", 100*o.Share, text)
}

func placeText(p finding.Place) string {
	if p.Function == "" {
		return lineText(p.Entry, p.EntryFile, 0)
	}
	return lineText(p.Function, p.File, p.Line)
}

// lineText returns a line as one text: "shop/order.ask (/src/shop/order.go:88)".
func lineText(function, file string, line int) string {
	if file == "" {
		return function
	}
	if line > 0 {
		file += ":" + strconv.Itoa(line)
	}
	return function + " (" + file + ")"
}

func putAll[V any](to pcommon.Map, key string, values []V, text func(V) string) {
	if len(values) == 0 {
		return
	}
	list := to.PutEmptySlice(key)
	for _, v := range values {
		list.AppendEmpty().SetStr(text(v))
	}
}

func putInt(to pcommon.Map, key string, value int) {
	if value > 0 {
		to.PutInt(key, int64(value))
	}
}

func putTrue(to pcommon.Map, key string, value bool) {
	if value {
		to.PutBool(key, true)
	}
}

// putTime writes a time in seconds since the Unix epoch, the unit of goroutine.leak.start_time.
func putTime(to pcommon.Map, key string, at time.Time) {
	if !at.IsZero() {
		to.PutDouble(key, float64(at.UnixNano())/1e9)
	}
}

// putOrigins writes the most frequent creator and waker.
func putOrigins(to pcommon.Map, f *finding.Finding) {
	if len(f.Creators) > 0 {
		c := f.Creators[0]
		put(to, telemetry.AttrCreatorType, c.Launch)
		putLine(to, c.Statement, telemetry.AttrCreatorFunction, telemetry.AttrCreatorFile, telemetry.AttrCreatorLine)
		if c.Own {
			putLine(to, c.SourceLine(), telemetry.AttrCreatorOwnFunction, telemetry.AttrCreatorOwnFile, telemetry.AttrCreatorOwnLine)
		}
	}
	if len(f.Wakers) > 0 {
		w := f.Wakers[0]
		putLine(to, w.SourceLine(), telemetry.AttrWakerFunction, telemetry.AttrWakerFile, telemetry.AttrWakerLine)
		put(to, telemetry.AttrWakerCall, w.Call)
	}
}

func putLine(to pcommon.Map, l finding.Line, function, file, line string) {
	put(to, function, l.Function)
	put(to, file, l.File)
	putInt(to, line, l.Line)
}

func put(to pcommon.Map, key, value string) {
	if value != "" {
		to.PutStr(key, value)
	}
}

// roundToInt rounds n to an integer that float64 represents exactly.
func roundToInt(n float64) int64 { return int64(math.Round(min(n, 1<<53))) }

package goroutinereceiver

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// originRecord is the log record of an origin, with the stacks that metrics have no room for.
func originRecord(o *origin.Origin, at time.Time) plog.LogRecord {
	record := plog.NewLogRecord()
	record.SetEventName(telemetry.EventOrigin)
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(at))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetSeverityText(plog.SeverityNumberInfo.String())
	record.Body().SetStr(sentence(o))
	attributes := record.Attributes()
	attributes.PutStr(telemetry.AttrOriginCaught, string(o.Caught))
	put(attributes, telemetry.AttrOriginClass, string(o.Class))
	put(attributes, telemetry.AttrStackTrace, stackTrace(o))
	s := o.Signature
	put(attributes, telemetry.AttrEntry, s.Entry)
	if s.ID == 0 {
		return record // of an entry
	}
	attributes.PutStr(telemetry.AttrSignature, s.ID.String())
	attributes.PutStr(telemetry.AttrState, string(s.State))
	put(attributes, telemetry.AttrFunction, s.Blamed.Function)
	put(attributes, telemetry.AttrFile, s.Blamed.File)
	if s.Blamed.Line > 0 {
		attributes.PutInt(telemetry.AttrLine, int64(s.Blamed.Line))
	}
	return record
}

func put(attributes pcommon.Map, key, value string) {
	if value != "" {
		attributes.PutStr(key, value)
	}
}

// sentence says in short what is known.
//
//	Goroutines of main.work in main.wait that leak are started at main.checkout (/src/order.go:31): 8 of 383 started in 1s
func sentence(o *origin.Origin) string {
	of, entry, blamed := "Goroutines", o.Signature.Entry, o.Signature.Blamed.Function
	if entry != "" {
		of += " of " + entry
	}
	if blamed != "" && blamed != entry {
		of += " in " + blamed
	}
	sampled := fmt.Sprintf("%d started in %v", o.Births, o.Traced.Round(time.Millisecond))
	switch o.Caught {
	case origin.LeakedBirth:
		return fmt.Sprintf("%s that leak are started %s: %d of %s", of, by(&o.Creators[0]), o.Leaked, sampled)
	case origin.SiblingsOnly:
		return fmt.Sprintf("%s are started %s: none that leaks was seen among %s", of, by(&o.Creators[0]), sampled)
	}
	return fmt.Sprintf("%s: nothing is known yet of what starts them, with %s", of, sampled)
}

// by says what starts goroutines, by the line of the service's own code if there is one.
func by(c *origin.Creator) string {
	line := c.Own
	switch {
	case c.Launch == exectrace.ByTimer:
		return "by a timer"
	case c.Launch == exectrace.ByC:
		return "by C"
	case line.Function == "" && len(c.Stack) > 0:
		line = c.Stack[0]
	}
	return fmt.Sprintf("at %s (%s:%d)", line.Function, line.File, line.Line)
}

// stackTrace is the stacks of all creators and wakers, as Go writes stacks.
//
//	created by, 8 of 8:
//	main.checkout(...)
//		/src/order.go:31
func stackTrace(o *origin.Origin) string {
	var b strings.Builder
	write := func(title string, count int, share float64, frames []stack.Frame) {
		if len(frames) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s, %d, %.0f%%:\n", title, count, 100*share)
		for _, f := range frames {
			fmt.Fprintf(&b, "%s(...)\n\t%s:%d\n", f.Function, f.File, f.Line)
		}
	}
	for i := range o.Creators {
		write("created by", o.Creators[i].Count, o.Creators[i].Share, o.Creators[i].Stack)
	}
	for i := range o.Wakers {
		write("woken by", o.Wakers[i].Count, o.Wakers[i].Share, o.Wakers[i].Stack)
	}
	return b.String()
}

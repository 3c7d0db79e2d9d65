package goroutinereceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// originRecord returns the log record of an origin, with the stacks, which are too long for
// metrics.
func originRecord(o *origin.Origin, at time.Time) plog.LogRecord {
	record := plog.NewLogRecord()
	record.SetEventName(telemetry.EventOrigin)
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(at))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetSeverityText(plog.SeverityNumberInfo.String())
	record.Body().SetStr(o.Sentence())
	attributes := record.Attributes()
	attributes.PutStr(telemetry.AttrOriginCaught, string(o.Caught))
	putNonEmpty(attributes, telemetry.AttrOriginClass, string(o.Class))
	putNonEmpty(attributes, telemetry.AttrStackTrace, o.StackTrace())
	s := o.Signature
	putNonEmpty(attributes, telemetry.AttrEntry, s.Entry)
	if s.ID == 0 {
		return record // of an entry
	}
	attributes.PutStr(telemetry.AttrSignature, s.ID.String())
	attributes.PutStr(telemetry.AttrState, string(s.State))
	putNonEmpty(attributes, telemetry.AttrFunction, s.Blamed.Function)
	putNonEmpty(attributes, telemetry.AttrFile, s.Blamed.File)
	if s.Blamed.Line > 0 {
		attributes.PutInt(telemetry.AttrLine, int64(s.Blamed.Line))
	}
	return record
}

func putNonEmpty(attributes pcommon.Map, key, value string) {
	if value != "" {
		attributes.PutStr(key, value)
	}
}

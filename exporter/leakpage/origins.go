package leakpage

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/points"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var (
	keyCaught = finding.NewKey(telemetry.AttrOriginCaught)
	keyEvent  = finding.NewKey("event.name") // for transports without event names
)

// readOrigins passes the origins among log records to observe.
func readOrigins(ld plog.Logs, observe func(finding.Service, history.Origin)) {
	for _, rl := range ld.ResourceLogs().All() {
		resource := points.AttributesOf(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				readOrigin(resource, record, observe)
			}
		}
	}
}

func readOrigin(resource finding.Attributes, record plog.LogRecord, observe func(finding.Service, history.Origin)) {
	attributes := points.AttributesOf(record.Attributes())
	if record.EventName() != telemetry.EventOrigin && attributes.Value(keyEvent) != telemetry.EventOrigin {
		return
	}
	at := record.Timestamp()
	if at == 0 {
		at = record.ObservedTimestamp()
	}
	p := finding.Point{Resource: resource, Attributes: attributes}
	text := ""
	if record.Body().Type() == pcommon.ValueTypeStr {
		text = record.Body().Str()
	}
	observe(p.Service(), history.Origin{
		Place: p.Place(), Caught: attributes.Value(keyCaught), Text: text, Stacks: attributes(telemetry.AttrStackTrace), At: at.AsTime().UTC(),
	})
}

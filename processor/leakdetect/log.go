package leakdetect

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// maxLoggedLeaks is how many leaks of a batch are logged. After a deploy a whole fleet may leak
// at once; the metrics contain all.
const maxLoggedLeaks = 10

// logLines returns the lines to log: findings whose severity has risen, and ended findings.
func logLines(md pmetric.Metrics, b *batch) []logLine {
	var lines []logLine
	omitted := 0
	add := func(message string, fields []zap.Field) {
		if len(lines) < maxLoggedLeaks {
			lines = append(lines, logLine{message, fields})
		} else {
			omitted++
		}
	}
	for _, f := range b.findings {
		resource := f.service
		if !f.Service {
			resource = md.ResourceMetrics().At(f.resourceIndex).Resource().Attributes()
		}
		switch {
		case f.Service && !f.Together:
			// Logged for its instances.
		case f.Service && f.Severity > f.Was:
			add("Leak "+severityName(f.Severity)+" in the instances together", logFields(resource, f,
				zap.Float64("leaked", f.Leaked), zap.Float64("per_hour", f.PerHour), zap.Int("instances", f.Instances), zap.Int("of", f.Of)))
		case f.Severity > f.Was:
			add("Leak "+severityName(f.Severity), logFields(resource, f, zap.Float64("leaked", f.Leaked), zap.Float64("per_hour", f.PerHour)))
		case f.Ended != detect.NotEnded:
			add("Leak ended", logFields(resource, f, zap.String("reason", string(f.Ended))))
		}
	}
	for _, e := range b.endedWithoutData {
		if e.Service {
			continue // logged for its instances
		}
		f := finding{Verdict: e.Verdict, attributes: e.group, metric: e.metric}
		add("Leak ended", logFields(e.resource, f, zap.String("reason", string(e.Ended))))
	}
	if omitted > 0 {
		lines = append(lines, logLine{"More leaks in the same batch", []zap.Field{zap.Int("leaks", omitted)}})
	}
	return lines
}

func severityName(s growth.Severity) string {
	switch s {
	case growth.Suspected:
		return "suspected"
	case growth.Probable:
		return "probable"
	case growth.Confirmed:
		return "confirmed"
	default:
		return "none"
	}
}

// loggedResourceAttributes are the attributes of a resource that are logged.
var loggedResourceAttributes = []string{"service.name", "service.instance.id"}

// logFields appends the identity of a finding to fields, as far as it is known.
func logFields(resource pcommon.Map, f finding, fields ...zap.Field) []zap.Field {
	if isGoroutine(f) {
		fields = append(fields, zap.String(telemetry.AttrLeakID, f.id()))
	} else {
		fields = append(fields, zap.String("metric", f.metric))
	}
	fields = appendAttributes(fields, resource, loggedResourceAttributes...)
	return appendAttributes(fields, f.attributes,
		telemetry.AttrState, telemetry.AttrFunction, telemetry.AttrFile, telemetry.AttrLine, telemetry.AttrEntry, telemetry.AttrEntryFile)
}

// maxLogged is how many bytes of an attribute are logged: enough for any name of a real program.
const maxLogged = 1 << 10

// truncate truncates a value that is longer than maxLogged.
func truncate(value string) string {
	if len(value) <= maxLogged {
		return value
	}
	return strings.ToValidUTF8(value[:maxLogged], "") + "..."
}

func appendAttributes(fields []zap.Field, from pcommon.Map, keys ...string) []zap.Field {
	for _, key := range keys {
		if value := valueOf(from, key); value != "" {
			fields = append(fields, zap.String(key, truncate(value)))
		}
	}
	return fields
}

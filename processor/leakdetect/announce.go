package leakdetect

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// maxAnnounced is how many leaks of one batch are logged one by one. A deploy
// can make a fleet leak at once; the metrics hold them all.
const maxAnnounced = 10

// announcements returns what is to be logged: the findings whose severity rose.
func announcements(md pmetric.Metrics, findings []finding) []line {
	var lines []line
	rest := 0
	for _, f := range findings {
		switch {
		case !f.rose:
		case len(lines) < maxAnnounced:
			resource := md.ResourceMetrics().At(f.origin).Resource().Attributes()
			lines = append(lines, line{"Leak " + severityName(f.verdict.Severity), fields(resource, f)})
		default:
			rest++
		}
	}
	if rest > 0 {
		lines = append(lines, line{"More leaks in the same batch", []zap.Field{zap.Int("leaks", rest)}})
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

// fields returns whom a finding is about, as far as it is told, and how bad it is.
func fields(resource pcommon.Map, f finding) []zap.Field {
	fields := []zap.Field{
		zap.Float64("leaked", f.verdict.Leaked),
		zap.Float64("per_hour", f.verdict.PerHour),
	}
	if f.metric != "" {
		fields = append(fields, zap.String("metric", f.metric))
	}
	fields = appendAttributes(fields, resource, "service.name", "service.instance.id")
	return appendAttributes(fields, f.attributes,
		telemetry.AttrState, telemetry.AttrFunction, telemetry.AttrFile, telemetry.AttrLine, telemetry.AttrEntry)
}

// maxLogged is how much of an attribute is logged, in bytes: room for every name of a
// real program.
const maxLogged = 1 << 10

// cut returns the beginning of what is too long for a line of the log.
func cut(value string) string {
	if len(value) <= maxLogged {
		return value
	}
	return strings.ToValidUTF8(value[:maxLogged], "") + "..."
}

func appendAttributes(fields []zap.Field, from pcommon.Map, keys ...string) []zap.Field {
	for _, key := range keys {
		if value := valueOf(from, key); value != "" {
			fields = append(fields, zap.String(key, cut(value)))
		}
	}
	return fields
}

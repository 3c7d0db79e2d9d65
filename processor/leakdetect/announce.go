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

// maxAnnounced is how many leaks of one batch are logged one by one. A deploy
// can make a fleet leak at once; the metrics hold them all.
const maxAnnounced = 10

// announcements returns what is to be logged: the findings whose severity rose, and those
// that ended.
func announcements(md pmetric.Metrics, b *batch) []line {
	var lines []line
	rest := 0
	add := func(message string, fields []zap.Field) {
		if len(lines) < maxAnnounced {
			lines = append(lines, line{message, fields})
		} else {
			rest++
		}
	}
	for _, f := range b.findings {
		resource := f.service
		if !f.Service {
			resource = md.ResourceMetrics().At(f.origin).Resource().Attributes()
		}
		switch {
		case f.Service && !f.Together:
			// It is told of its instances.
		case f.Service && f.Severity > f.Was:
			add("Leak "+severityName(f.Severity)+" in the instances together", fields(resource, f,
				zap.Float64("leaked", f.Leaked), zap.Float64("per_hour", f.PerHour), zap.Int("instances", f.Instances), zap.Int("of", f.Of)))
		case f.Severity > f.Was:
			add("Leak "+severityName(f.Severity), fields(resource, f, zap.Float64("leaked", f.Leaked), zap.Float64("per_hour", f.PerHour)))
		case f.Ended != detect.NotEnded:
			add("Leak ended", fields(resource, f, zap.String("reason", string(f.Ended))))
		}
	}
	for _, e := range b.gone {
		if e.Service {
			continue // it is told of its instances
		}
		f := finding{Verdict: e.Verdict, attributes: e.group, metric: e.metric}
		add("Leak ended", fields(e.resource, f, zap.String("reason", string(e.Ended))))
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

// loggedOfResource are the attributes of a resource that are logged.
var loggedOfResource = []string{"service.name", "service.instance.id"}

// fields returns what is said of a finding, and whom it is about, as far as it is told.
func fields(resource pcommon.Map, f finding, said ...zap.Field) []zap.Field {
	if isGoroutine(f) {
		said = append(said, zap.String(telemetry.AttrLeakID, f.id()))
	} else {
		said = append(said, zap.String("metric", f.metric))
	}
	said = appendAttributes(said, resource, loggedOfResource...)
	return appendAttributes(said, f.attributes,
		telemetry.AttrState, telemetry.AttrFunction, telemetry.AttrFile, telemetry.AttrLine, telemetry.AttrEntry, telemetry.AttrEntryFile)
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

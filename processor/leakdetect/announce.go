package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// maxAnnounced is how many leaks of one batch are logged one by one. A deploy
// can make a fleet leak at once; the metrics hold them all.
const maxAnnounced = 10

// announce logs the findings whose severity rose.
func announce(log *zap.Logger, md pmetric.Metrics, findings []finding) {
	announced, rest := 0, 0
	for _, f := range findings {
		switch {
		case !f.rose:
		case announced < maxAnnounced:
			announced++
			resource := md.ResourceMetrics().At(f.origin).Resource().Attributes()
			log.Info("Leak "+severityName(f.verdict.Severity), fields(resource, f)...)
		default:
			rest++
		}
	}
	if rest > 0 {
		log.Info("More leaks in the same batch", zap.Int("leaks", rest))
	}
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

func appendAttributes(fields []zap.Field, from pcommon.Map, keys ...string) []zap.Field {
	for _, key := range keys {
		if value := valueOf(from, key); value != "" {
			fields = append(fields, zap.String(key, value))
		}
	}
	return fields
}

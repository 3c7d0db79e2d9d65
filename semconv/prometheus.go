package semconv

import "github.com/prometheus/otlptranslator"

// Naming is a strategy to translate OpenTelemetry names to Prometheus names.
type Naming = otlptranslator.TranslationStrategyOption

// namings are the strategies of Prometheus and of the collector's exporters, the default first.
var namings = []Naming{
	otlptranslator.UnderscoreEscapingWithSuffixes,
	otlptranslator.UnderscoreEscapingWithoutSuffixes,
	otlptranslator.NoUTF8EscapingWithSuffixes,
	otlptranslator.NoTranslation,
}

// InPrometheus returns the name of a metric in Prometheus.
func (m Metric) InPrometheus(n Naming) (string, error) {
	types := map[string]otlptranslator.MetricType{
		"counter":       otlptranslator.MetricTypeMonotonicCounter,
		"updowncounter": otlptranslator.MetricTypeNonMonotonicCounter,
		"gauge":         otlptranslator.MetricTypeGauge,
		"histogram":     otlptranslator.MetricTypeHistogram,
	}
	namer := otlptranslator.NewMetricNamer("", n)
	return namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: types[m.Instrument]})
}

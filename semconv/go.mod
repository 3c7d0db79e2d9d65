module github.com/otel-goroutine/otel-goroutine/semconv

go 1.26.0

replace github.com/otel-goroutine/otel-goroutine => ../

replace github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver => ../receiver/goroutinereceiver

replace github.com/otel-goroutine/otel-goroutine/processor/leakdetect => ../processor/leakdetect

require (
	github.com/prometheus/otlptranslator v1.0.0
	github.com/stretchr/testify v1.12.1
	go.opentelemetry.io/otel v1.47.0
	go.uber.org/goleak v1.3.0
	go.yaml.in/yaml/v3 v3.0.6
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.opentelemetry.io/otel/metric v1.47.0 // indirect
)

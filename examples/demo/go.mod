module github.com/otel-goroutine/otel-goroutine/examples/demo

go 1.26.0

require (
	github.com/prometheus/common v0.71.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.2 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

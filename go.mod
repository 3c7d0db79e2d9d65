module github.com/otel-goroutine/otel-goroutine

go 1.26.0

require (
	github.com/VictoriaMetrics/easyproto v1.2.0 // indirect
	github.com/chzyer/readline v1.5.1 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/google/pprof v0.0.0-20261016150608-1facf8f91b50 // indirect
	github.com/ianlancetaylor/demangle v0.0.0-20250417193237-f615e6bd150b // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/exp v0.0.0-20261014143641-f0251eb4aa3e // indirect
	golang.org/x/sys v0.32.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

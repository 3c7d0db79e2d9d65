// Command auto is a service that has no OpenTelemetry but this import.
package main

import (
	"time"

	_ "github.com/otel-goroutine/otel-goroutine/instrument/auto"
)

func main() { time.Sleep(20 * time.Second) }

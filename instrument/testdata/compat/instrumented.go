package main

import "github.com/otel-goroutine/otel-goroutine/instrument"

func init() {
	begin = func() error {
		_, err := instrument.Start(instrument.WithRuntimeMetrics())
		return err
	}
}

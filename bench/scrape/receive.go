package main

import (
	"fmt"

	"go.opentelemetry.io/collector/component"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// configure returns the receiver's defaults with the targets of a plan.
func configure(plan meter.Plan) (component.Config, error) {
	cfg, ok := goroutinereceiver.NewFactory().CreateDefaultConfig().(*goroutinereceiver.Config)
	if !ok {
		return nil, fmt.Errorf("unexpected configuration type %T of the receiver", cfg)
	}
	cfg.CollectionInterval = plan.Interval
	// All age bands are filled within an interval, instead of half a day.
	cfg.AgedAfter = plan.Interval / 64
	cfg.Capture = goroutinereceiver.Capture(plan.Capture)
	cfg.FileSD = []goroutinereceiver.FileSDConfig{{Files: []string{plan.List}, Interval: plan.Poll}}
	return cfg, nil
}

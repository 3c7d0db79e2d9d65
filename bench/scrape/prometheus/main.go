// Command prometheus measures contrib's prometheus receiver as ./scrape measures ours. It is a module of its own, since
// Prometheus requires 250 other modules.
package main

import (
	"fmt"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
)

const module = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"

func main() {
	if err := meter.Main(os.Stdin, os.Stdout, module, prometheusreceiver.NewFactory(), configure); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// configure returns the receiver's defaults with the targets of a plan.
func configure(plan meter.Plan) (component.Config, error) {
	scrape := map[string]any{
		"job_name":        "bench",
		"scrape_interval": plan.Interval.String(),
		"scrape_timeout":  plan.Interval.String(),
		"file_sd_configs": []any{map[string]any{"files": []any{plan.List}, "refresh_interval": plan.Poll.String()}},
	}
	cfg := prometheusreceiver.NewFactory().CreateDefaultConfig()
	conf := confmap.NewFromStringMap(map[string]any{"config": map[string]any{"scrape_configs": []any{scrape}}})
	return cfg, conf.Unmarshal(cfg)
}

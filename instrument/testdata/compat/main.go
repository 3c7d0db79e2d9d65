// Command service has OpenTelemetry already: metrics, and a bridge for logs, whose API is
// not stable yet. scripts/compat.sh adds instrument to it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// begin is what instrumented.go replaces.
var begin = func() error { return nil }

func main() {
	otelslog.NewLogger("service").Info("started")
	reader := sdkmetric.NewManualReader()
	isUnset := len(os.Args) > 1 && os.Args[1] == "unset"
	if !isUnset {
		otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	}
	if err := begin(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if isUnset {
		time.Sleep(11 * time.Second) // what is missing is reported after ten
		return
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			fmt.Println(m.Name)
		}
	}
}

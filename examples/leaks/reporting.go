package main

import (
	"context"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

// reporting exports the metrics of this process. The zero value exports nothing.
type reporting struct {
	provider *sdkmetric.MeterProvider
	shutdown func(context.Context) error
}

// startReporting exports metrics by OTLP if OTEL_EXPORTER_OTLP_ENDPOINT is set.
func startReporting(ctx context.Context) (reporting, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return reporting{}, nil
	}
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return reporting{}, err
	}
	res, err := resource.New(ctx, resource.WithService(), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return reporting{}, err
	}
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(res))
	otel.SetMeterProvider(provider)
	shutdown, err := instrument.Start(instrument.WithRuntimeMetrics(), instrument.WithProcessCPUTime())
	return reporting{provider: provider, shutdown: shutdown}, err
}

// lastExport is the timeout of the last export.
const lastExport = 5 * time.Second

func (r reporting) stop() error {
	if r.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	return errors.Join(r.provider.ForceFlush(ctx), r.shutdown(ctx), r.provider.Shutdown(ctx))
}

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

// reporting is what pushes the metrics of this process, if anything does.
type reporting struct {
	provider *sdkmetric.MeterProvider
	end      func(context.Context) error
}

// startReporting pushes by OTLP if the environment says where to.
func startReporting(ctx context.Context) (reporting, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return reporting{}, nil
	}
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return reporting{}, err
	}
	about, err := resource.New(ctx, resource.WithService(), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return reporting{}, err
	}
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(about))
	otel.SetMeterProvider(provider)
	end, err := instrument.Start(instrument.WithRuntimeMetrics(), instrument.WithProcessCPUTime())
	return reporting{provider: provider, end: end}, err
}

// lastExport is how long the last export may take.
const lastExport = 5 * time.Second

func (r reporting) stop() error {
	if r.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	return errors.Join(r.provider.ForceFlush(ctx), r.end(ctx), r.provider.Shutdown(ctx))
}

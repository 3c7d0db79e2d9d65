// Command instrumented is a service that exports metrics about its goroutines to an OpenTelemetry
// Collector. It leaks in three ways (leaks.go) beside healthy traffic.
//
// The standard variables configure the export: OTEL_EXPORTER_OTLP_ENDPOINT
// (https://localhost:4318 by default), OTEL_METRIC_EXPORT_INTERVAL (60000 ms),
// OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:6061", "`address` that serves /debug/pprof/")
	duration := flag.Duration("for", 10*time.Minute, "`duration` after which the service exits")
	flag.Parse()
	if err := runFor(*duration, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "instrumented:", err)
		os.Exit(1)
	}
}

// runFor runs for the given time, or until interrupted.
func runFor(duration time.Duration, listen string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	return run(ctx, listen)
}

// lastExport is the timeout of the last export.
const lastExport = 5 * time.Second

// run leaks and exports metrics until ctx is done.
func run(ctx context.Context, listen string) (err error) {
	provider, err := newProvider(ctx)
	if err != nil {
		return err
	}
	otel.SetMeterProvider(provider)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), lastExport)
		defer cancel()
		err = errors.Join(err, provider.Shutdown(ctx))
	}()

	// The service has no other source of runtime metrics and CPU time.
	stop, err := instrument.Start(instrument.WithRuntimeMetrics(), instrument.WithProcessCPUTime())
	if err != nil {
		return err
	}
	defer func() {
		// Export the last interval before stop unregisters the metrics.
		ctx, cancel := context.WithTimeout(context.Background(), lastExport)
		defer cancel()
		err = errors.Join(err, provider.ForceFlush(ctx), stop(ctx))
	}()

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Println("serving http://" + listener.Addr().String() + "/debug/pprof/")
	return serve(ctx, listener)
}

// newProvider returns a MeterProvider that exports by OTLP.
func newProvider(ctx context.Context) (*sdkmetric.MeterProvider, error) {
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx,
		resource.WithService(), // includes service.instance.id, which distinguishes replicas
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	return sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)),
		sdkmetric.WithResource(res)), nil
}

// serve serves pprof and simulates traffic until ctx is done.
func serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	takeOrders(ctx)
	err := server.Close()
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

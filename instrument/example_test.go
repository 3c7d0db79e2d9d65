package instrument_test

import (
	"context"
	"log"
	"time"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

// serve stands for what the service does.
func serve() {}

func ExampleStart() {
	stop, err := instrument.Start(instrument.WithRuntimeMetrics())
	if err != nil {
		log.Print(err) // the service goes on without
	}
	defer func() { _ = stop(context.Background()) }()
	serve()
}

// The last interval is exported by ForceFlush while instrument still reports.
func ExampleStart_lastInterval() {
	provider := sdkmetric.NewMeterProvider( /* a reader, a resource */ )
	otel.SetMeterProvider(provider)
	stop, err := instrument.Start(instrument.WithRuntimeMetrics())
	if err != nil {
		log.Print(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := provider.ForceFlush(ctx); err != nil {
			log.Print(err)
		}
		if err := stop(ctx); err != nil {
			log.Print(err)
		}
		if err := provider.Shutdown(ctx); err != nil {
			log.Print(err)
		}
	}()
	serve()
}

func ExampleWithMeterProvider() {
	provider := sdkmetric.NewMeterProvider( /* a reader, a resource */ )
	stop, err := instrument.Start(instrument.WithMeterProvider(provider))
	if err != nil {
		log.Print(err)
	}
	defer func() { _ = stop(context.Background()) }()
	serve()
}

// A service of many goroutines that is sampled less often, and never traced.
func ExampleOption() {
	stop, err := instrument.Start(
		instrument.WithInterval(5*time.Minute),
		instrument.WithCapture(instrument.CaptureProfile),
	)
	if err != nil {
		log.Print(err)
	}
	defer func() { _ = stop(context.Background()) }()
	serve()
}

// The runtime's own proof of leaks, every half an hour (Go 1.27, or Go 1.26 with GOEXPERIMENT=goroutineleakprofile).
func ExampleWithLeakProfile() {
	stop, err := instrument.Start(instrument.WithLeakProfile(30 * time.Minute))
	if err != nil {
		log.Print(err)
	}
	defer func() { _ = stop(context.Background()) }()
	serve()
}

// A service that learns where goroutines that gather come from, and logs it.
func ExampleWithOrigins() {
	stop, err := instrument.Start(
		instrument.WithOrigins(),
		instrument.WithOriginHandler(func(_ context.Context, o instrument.Origin) {
			log.Print(o.Text) // o.Attributes has the whole stacks
		}),
	)
	if err != nil {
		log.Print(err)
	}
	defer func() { _ = stop(context.Background()) }()
	serve()
}

// A service that starts neither contrib's runtime nor its host instrumentation.
func ExampleWithProcessCPUTime() {
	stop, err := instrument.Start(instrument.WithRuntimeMetrics(), instrument.WithProcessCPUTime())
	if err != nil {
		log.Print(err)
	}
	defer func() { _ = stop(context.Background()) }()
	serve()
}

package auto

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

// instrumentation is what this package runs, in one goroutine, which all of its
// fields but cancel and ended belong to.
type instrumentation struct {
	global global
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of ending; to be read when ended is closed

	// own is the MeterProvider that was made here, nil if none was.
	own   *sdkmetric.MeterProvider
	tried bool // to make it
	// stop ends the instrumentation.
	stop func(context.Context) error
}

// run looks for the service's MeterProvider again and again, and has one made where
// there is none, until the service has one or ctx ends.
func (i *instrumentation) run(ctx context.Context, patience time.Duration) {
	defer close(i.ended)
	i.stop = func(context.Context) error { return nil }
	look := time.NewTicker(patience)
	defer look.Stop()
	for settled := false; !settled && ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-look.C:
			settled = i.settle(ctx)
		}
	}
	<-ctx.Done()
	i.err = i.end()
}

// settle starts what there is to be started, and tells whether that is final. So is
// a panic, which would otherwise end the service.
func (i *instrumentation) settle(ctx context.Context) (final bool) {
	defer func() {
		if p := recover(); p != nil {
			otel.Handle(fmt.Errorf("instrument/auto: panic, please report it: %v\n%s", p, debug.Stack()))
			final = true
		}
	}()
	var err error
	final = i.global.isSet(ctx)
	switch {
	case final:
		err = errors.Join(i.end(), i.start())
	case !i.tried:
		i.tried = true
		err = i.startOwn(ctx)
	}
	switch {
	case errors.Is(err, instrument.ErrStarted):
		return true // by the service itself
	case err != nil:
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	return final
}

// start instruments the service.
func (i *instrumentation) start(options ...instrument.Option) (err error) {
	i.stop, err = instrument.Start(options...)
	return err
}

// startOwn instruments the service with a MeterProvider that is made as the
// environment says.
func (i *instrumentation) startOwn(ctx context.Context) error {
	about, err := resource.New(ctx,
		resource.WithService(), resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(),
		resource.WithFromEnv(), // wins over what is found out
	)
	if err != nil {
		return err
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		return err
	}
	i.own = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	if err := i.start(instrument.WithMeterProvider(i.own)); err != nil {
		return errors.Join(err, i.end())
	}
	return nil
}

// lastExport is how long the own MeterProvider may take to export for the last time.
const lastExport = 5 * time.Second

// end ends what was started. What the own MeterProvider has not exported yet, it
// exports before.
func (i *instrumentation) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	var errs []error
	if i.own != nil {
		errs = append(errs, i.own.ForceFlush(ctx))
	}
	errs = append(errs, i.stop(ctx))
	if i.own != nil {
		errs = append(errs, i.own.Shutdown(ctx))
	}
	i.own = nil
	return errors.Join(errs...)
}

func (i *instrumentation) shutdown(ctx context.Context) error {
	i.cancel()
	select {
	case <-i.ended:
		return i.err
	case <-ctx.Done():
		return fmt.Errorf("instrument/auto: it has not ended: %w", ctx.Err())
	}
}

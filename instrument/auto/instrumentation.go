package auto

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/instrument"
	"github.com/otel-goroutine/otel-goroutine/internal/guard"
)

// instrumentation is the state of this package, which runs one goroutine. All fields except
// cancel, ended and err belong to that goroutine.
type instrumentation struct {
	global global
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of ending; set before ended is closed

	// own is the MeterProvider created here, or nil.
	own   *sdkmetric.MeterProvider
	tried bool // to create it
	// logs is the LoggerProvider created here, or nil.
	logs *sdklog.LoggerProvider
	// stop ends the instrumentation.
	stop func(context.Context) error
}

// run checks for the service's MeterProvider every patience, and creates one if there is none,
// until the service has one or ctx is done.
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
	i.err = guard.WithStack(guard.Call(i.stopAll))
}

// settle calls checkProvider and reports whether its result is final, or it panicked.
func (i *instrumentation) settle(ctx context.Context) (final bool) {
	err := guard.Call(func() (err error) {
		final, err = i.checkProvider(ctx)
		return err
	})
	if err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", guard.WithStack(err)))
	}
	return final || errors.As(err, new(*guard.Panic))
}

// checkProvider checks for the service's MeterProvider, and starts the instrumentation with it or
// with a new one. It reports whether that is final.
func (i *instrumentation) checkProvider(ctx context.Context) (final bool, err error) {
	if i.global.isSet(ctx) {
		if err := i.stopAll(); err != nil {
			return false, err // ours may still be running: check again
		}
		if err = i.start(withOriginRecords(nil)); err == nil {
			announce(os.Getenv, "reporting to the MeterProvider that the service has set")
		}
		final = true
	} else if !i.tried {
		i.tried = true
		err = i.startOwn(ctx)
	}
	if errors.Is(err, instrument.ErrStarted) {
		return true, nil // by the service itself
	}
	return final, err
}

// start instruments the service.
func (i *instrumentation) start(options ...instrument.Option) (err error) {
	i.stop, err = instrument.Start(options...)
	return err
}

// startOwn instruments the service with a MeterProvider created from the standard variables.
func (i *instrumentation) startOwn(ctx context.Context) error {
	about, err := newResource(ctx)
	if err != nil {
		return err
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		// The error of autoexport names no variable.
		return fmt.Errorf("exporter of OTEL_METRICS_EXPORTER and OTEL_EXPORTER_OTLP_PROTOCOL: %w", err)
	}
	if autoexport.IsNoneMetricReader(reader) {
		return nil // OTEL_METRICS_EXPORTER=none
	}
	i.own = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	if i.logs, err = newLoggerProvider(ctx, about); err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err)) // report metrics nevertheless
	}
	if err := i.start(append(ownOptions(i.own), withOriginRecords(i.logs))...); err != nil {
		return errors.Join(err, i.dropOwn())
	}
	announce(os.Getenv, describe(os.Getenv, serviceName(about)))
	return nil
}

// ownOptions returns the options for our MeterProvider. Nobody else reports to it, so nothing can
// be reported twice. The environment variables take precedence.
func ownOptions(own metric.MeterProvider) []instrument.Option {
	options := []instrument.Option{instrument.WithMeterProvider(own)}
	if os.Getenv("OTEL_GO_GOROUTINE_RUNTIME_METRICS") == "" {
		options = append(options, instrument.WithRuntimeMetrics())
	}
	if os.Getenv("OTEL_GO_GOROUTINE_PROCESS_CPU_TIME") == "" {
		options = append(options, instrument.WithProcessCPUTime())
	}
	return options
}

// dropOwn shuts down our providers, which have nothing to export.
func (i *instrumentation) dropOwn() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel() // with a canceled context Shutdown does not export
	own := i.own
	i.own = nil
	err := own.Shutdown(ended)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, i.endLogs(context.Background()))
}

// endLogs exports the remaining log records and shuts down our LoggerProvider.
func (i *instrumentation) endLogs(ctx context.Context) error {
	if i.logs == nil {
		return nil
	}
	logs := i.logs
	i.logs = nil
	return logs.Shutdown(ctx)
}

// lastExport is the timeout of the last export of our providers.
const lastExport = 5 * time.Second

// stopAll ends everything that was started, after our MeterProvider has exported the rest.
func (i *instrumentation) stopAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	var errs []error
	if i.own != nil {
		errs = append(errs, i.own.Shutdown(ctx))
	}
	i.own = nil
	// stop is fast. Log records that it has written are exported after it.
	errs = append(errs, i.stop(context.Background()), i.endLogs(ctx))
	return errors.Join(errs...)
}

func (i *instrumentation) shutdown(ctx context.Context) error {
	i.cancel()
	select {
	case <-i.ended:
		return i.err
	case <-ctx.Done():
		return fmt.Errorf("instrument/auto: not ended yet: %w", ctx.Err())
	}
}

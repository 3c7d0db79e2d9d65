package auto

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

// instrumentation is what this package runs, in one goroutine. Fields other than cancel,
// ended and err belong to that goroutine.
type instrumentation struct {
	global global
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of ending; set before ended is closed

	// own is the MeterProvider that was made here, nil if none was.
	own   *sdkmetric.MeterProvider
	tried bool // to make it
	// logs is the LoggerProvider that was made here, nil if none was.
	logs *sdklog.LoggerProvider
	// stop ends the instrumentation.
	stop func(context.Context) error
}

// run looks for the service's MeterProvider every patience, and creates one where there
// is none, until the service has one or ctx ends.
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
	i.err = guard(i.end)
}

// settle starts what there is to be started, and reports whether that is final, as a
// panic is.
func (i *instrumentation) settle(ctx context.Context) (final bool) {
	err := guard(func() (err error) {
		final, err = i.look(ctx)
		return err
	})
	if err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err))
	}
	return final || errors.Is(err, errPanic)
}

// look looks for the service's MeterProvider, and starts what there is to be started.
func (i *instrumentation) look(ctx context.Context) (final bool, err error) {
	if i.global.isSet(ctx) {
		if err := i.end(); err != nil {
			return false, err // ours may still be running: look again
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

// errPanic is a recovered panic, which would otherwise end the service.
var errPanic = errors.New("panic, please report it")

// guard calls f and turns a panic into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return f()
}

// start instruments the service.
func (i *instrumentation) start(options ...instrument.Option) (err error) {
	i.stop, err = instrument.Start(options...)
	return err
}

// startOwn instruments the service with a MeterProvider that is created from the
// standard variables.
func (i *instrumentation) startOwn(ctx context.Context) error {
	about, err := newResource(ctx)
	if err != nil {
		return err
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		// It names no variable.
		return fmt.Errorf("the exporter that OTEL_METRICS_EXPORTER and OTEL_EXPORTER_OTLP_PROTOCOL choose: %w", err)
	}
	if autoexport.IsNoneMetricReader(reader) {
		return nil // nobody to report to
	}
	i.own = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	if i.logs, err = newLoggerProvider(ctx, about); err != nil {
		otel.Handle(fmt.Errorf("instrument/auto: %w", err)) // the metrics are worth more
	}
	if err := i.start(append(ownOptions(i.own), withOriginRecords(i.logs))...); err != nil {
		return errors.Join(err, i.drop())
	}
	announce(os.Getenv, describe(os.Getenv, serviceName(about)))
	return nil
}

// ownOptions returns the options for the own MeterProvider. Nobody else reports to it, so
// nothing can be reported twice. The variables still choose.
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

// drop ends the own providers, which have nothing to export.
func (i *instrumentation) drop() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel() // with a context that has ended it does not export
	own := i.own
	i.own = nil
	err := own.Shutdown(ended)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, i.endLogs(context.Background()))
}

// endLogs exports the log records that are left and ends the own LoggerProvider.
func (i *instrumentation) endLogs(ctx context.Context) error {
	if i.logs == nil {
		return nil
	}
	logs := i.logs
	i.logs = nil
	return logs.Shutdown(ctx)
}

// lastExport is how long the own providers may take to export for the last time.
const lastExport = 5 * time.Second

// end stops what was started, after the own MeterProvider has exported the rest.
func (i *instrumentation) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	var errs []error
	if i.own != nil {
		errs = append(errs, i.own.Shutdown(ctx))
	}
	i.own = nil
	// stop takes no long time. What it has written by then is exported after it.
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

package auto

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	globallog "go.opentelemetry.io/otel/log/global"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otel-goroutine/otel-goroutine/instrument"
	"github.com/otel-goroutine/otel-goroutine/internal/settings"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// newLoggerProvider returns a LoggerProvider created from the standard variables, or nil if it would
// not be used: OTEL_LOGS_EXPORTER is none, or the environment does not enable origins.
func newLoggerProvider(ctx context.Context, about *resource.Resource) (*sdklog.LoggerProvider, error) {
	s := settings.Default()
	if err := s.ReadEnvironment(os.Environ()); err != nil || !s.Origins {
		return nil, err
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		// The error of autoexport names no variable.
		return nil, fmt.Errorf("exporter of OTEL_LOGS_EXPORTER and OTEL_EXPORTER_OTLP_PROTOCOL: %w", err)
	}
	if autoexport.IsNoneLogExporter(exporter) {
		return nil, nil
	}
	return sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)), sdklog.WithResource(about)), nil
}

// withOriginRecords writes origins as log records: to the global LoggerProvider if the service has
// set one, otherwise to own, unless that is nil.
func withOriginRecords(own *sdklog.LoggerProvider) instrument.Option {
	handler := newOriginHandler(globallog.GetLoggerProvider())
	fallback := handler
	if own != nil {
		fallback = newOriginHandler(own)
	}
	return instrument.WithOriginHandler(func(ctx context.Context, o instrument.Origin) {
		to := handler
		if !handler.Enabled(ctx, slog.LevelInfo) {
			to = fallback
		}
		if err := to.Handle(ctx, newRecord(o)); err != nil {
			otel.Handle(fmt.Errorf("instrument/auto: %w", err))
		}
	})
}

// newOriginHandler returns a handler for the records of origins. It uses the slog bridge, since
// attributes of OpenTelemetry's log API, which is not stable yet, differ between OpenTelemetry 1.40
// and 1.47: the bridge matches the service's version.
func newOriginHandler(to log.LoggerProvider) slog.Handler {
	return otelslog.NewHandler(instrument.ScopeName, otelslog.WithVersion(instrument.Version()), otelslog.WithLoggerProvider(originEvents{to}))
}

// originEvents sets the event name of log records, which slog does not have.
type originEvents struct{ log.LoggerProvider }

// Logger returns a Logger whose records are events.
func (p originEvents) Logger(name string, options ...log.LoggerOption) log.Logger {
	return originLogger{p.LoggerProvider.Logger(name, options...)}
}

type originLogger struct{ log.Logger }

// Emit emits the record as an event.
func (l originLogger) Emit(ctx context.Context, r log.Record) {
	r.SetEventName(telemetry.EventOrigin)
	r.SetObservedTimestamp(r.Timestamp())
	l.Logger.Emit(ctx, r)
}

// newRecord returns the record of an origin.
func newRecord(o instrument.Origin) slog.Record {
	r := slog.NewRecord(o.Time, slog.LevelInfo, o.Text, 0)
	for _, a := range o.Attributes {
		r.AddAttrs(slog.Any(string(a.Key), a.Value.AsInterface()))
	}
	return r
}

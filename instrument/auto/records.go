package auto

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/log"
	globallog "go.opentelemetry.io/otel/log/global"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/otel-goroutine/otel-goroutine/instrument"
	"github.com/otel-goroutine/otel-goroutine/internal/settings"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// newLoggerProvider returns a LoggerProvider that is created from the standard variables, or
// nil if nothing would be written to it: OTEL_LOGS_EXPORTER is none, or the environment does not
// ask for origins.
func newLoggerProvider(ctx context.Context, about *resource.Resource) (*sdklog.LoggerProvider, error) {
	s := settings.Default()
	if err := s.ReadEnvironment(os.Environ()); err != nil || !s.Origins {
		return nil, err
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		// It names no variable.
		return nil, fmt.Errorf("the exporter that OTEL_LOGS_EXPORTER and OTEL_EXPORTER_OTLP_PROTOCOL choose: %w", err)
	}
	if autoexport.IsNoneLogExporter(exporter) {
		return nil, nil
	}
	return sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)), sdklog.WithResource(about)), nil
}

// withOriginRecords has origins written as log records: to the global LoggerProvider if the
// service has set one, and otherwise to own, unless that is nil.
func withOriginRecords(own *sdklog.LoggerProvider) instrument.Option {
	version := log.WithInstrumentationVersion(instrument.Version)
	logger := globallog.Logger(instrument.ScopeName, version)
	return instrument.WithOriginHandler(func(ctx context.Context, o instrument.Origin) {
		to := logger
		if own != nil && !logger.Enabled(ctx, log.EnabledParameters{Severity: log.SeverityInfo}) {
			to = own.Logger(instrument.ScopeName, version)
		}
		to.Emit(ctx, newRecord(o))
	})
}

// newRecord returns the log record of an origin.
func newRecord(o instrument.Origin) log.Record {
	var r log.Record
	r.SetEventName(telemetry.EventOrigin)
	r.SetTimestamp(o.Time)
	r.SetObservedTimestamp(o.Time)
	r.SetSeverity(log.SeverityInfo)
	r.SetSeverityText(log.SeverityInfo.String())
	r.SetBody(log.StringValue(o.Text))
	for _, a := range o.Attributes {
		r.AddAttributes(log.KeyValueFromAttribute(a))
	}
	return r
}

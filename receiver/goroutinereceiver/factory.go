package goroutinereceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// NewFactory returns the factory of the receiver. A metrics pipeline and a logs pipeline share one
// instance, which is started and stopped once.
func NewFactory() receiver.Factory {
	shared, all := newPool(), &instances{byConfig: make(map[*Config]*goroutineReceiver)}
	instance := func(settings receiver.Settings, cfg component.Config) (*goroutineReceiver, error) {
		return all.get(cfg.(*Config), func() (*goroutineReceiver, error) {
			return newReceiver(cfg.(*Config), shared, settings)
		})
	}
	createMetrics := func(_ context.Context, settings receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
		r, err := instance(settings, cfg)
		if err != nil {
			return nil, err
		}
		r.next = next
		return r, nil
	}
	createLogs := func(_ context.Context, settings receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
		r, err := instance(settings, cfg)
		if err != nil {
			return nil, err
		}
		r.nextLogs = next
		return r, nil
	}
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
		receiver.WithLogs(createLogs, metadata.LogsStability),
	)
}

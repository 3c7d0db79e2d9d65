package leakpage

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otel-goroutine/otel-goroutine/exporter/leakpage/internal/metadata"
)

// NewFactory returns the factory of the leak_page exporter. Pipelines of metrics and of logs share
// one exporter with one server, which is started and stopped once.
func NewFactory() exporter.Factory {
	shared := &sharedExporters{byConfig: make(map[*Config]*leakPage)}
	createMetrics := func(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
		return shared.get(cfg.(*Config), set)
	}
	createLogs := func(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
		return shared.get(cfg.(*Config), set)
	}
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		exporter.WithMetrics(createMetrics, metadata.MetricsStability),
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

// sharedExporters are the existing exporters by configuration. The collector creates one for each
// signal, with the same configuration.
type sharedExporters struct {
	mu       sync.Mutex
	byConfig map[*Config]*leakPage
}

// get returns the exporter of a configuration. It creates the exporter if necessary.
func (s *sharedExporters) get(cfg *Config, set exporter.Settings) (*leakPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.byConfig[cfg]; p != nil {
		return p, nil
	}
	p, err := newLeakPage(cfg, set)
	if err != nil {
		return nil, err
	}
	p.unregister = func() { s.remove(cfg) }
	s.byConfig[cfg] = p
	return p, nil
}

func (s *sharedExporters) remove(cfg *Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byConfig, cfg)
}

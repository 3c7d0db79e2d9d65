package leakpage

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otel-goroutine/otel-goroutine/exporter/leakpage/internal/metadata"
)

// NewFactory returns the factory of the leak_page exporter. In pipelines of metrics and of
// logs it is one exporter with one server, which is started and stopped once.
func NewFactory() exporter.Factory {
	all := &instances{of: make(map[*Config]*leakPage)}
	createMetrics := func(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
		return all.get(cfg.(*Config), set)
	}
	createLogs := func(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
		return all.get(cfg.(*Config), set)
	}
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		exporter.WithMetrics(createMetrics, metadata.MetricsStability),
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

// instances are the exporters that there are, by their configuration. The collector asks for
// one for each signal, and they are one.
type instances struct {
	mu sync.Mutex
	of map[*Config]*leakPage
}

// get returns the exporter of a configuration, which is made if there is none.
func (i *instances) get(cfg *Config, set exporter.Settings) (*leakPage, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if p := i.of[cfg]; p != nil {
		return p, nil
	}
	p, err := newLeakPage(cfg, set)
	if err != nil {
		return nil, err
	}
	p.forget = func() { i.remove(cfg) }
	i.of[cfg] = p
	return p, nil
}

func (i *instances) remove(cfg *Config) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.of, cfg)
}

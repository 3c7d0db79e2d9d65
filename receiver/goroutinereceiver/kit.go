package goroutinereceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// kit is what all targets of a receiver have in common. There may be tens of thousands of them.
type kit struct {
	cfg     *Config
	pool    *pool
	logger  *zap.Logger
	wants   wants
	clients clients
	panics  func(context.Context)
	// recordings lends what a scrape is recorded with, for as long as that takes.
	recordings sync.Pool // *recording
}

// wants is what a target may be asked for.
type wants struct{ trace, profile, threads, leaks want }

func newKit(cfg *Config, shared *pool, settings receiver.Settings, panics func(context.Context)) *kit {
	return &kit{
		cfg:    cfg,
		pool:   shared,
		logger: settings.Logger,
		wants: wants{
			trace:   wantTrace(),
			profile: wantProfile(cfg.MaxBodySize),
			threads: wantThreads(cfg.MaxBodySize),
			leaks:   wantLeakProfile(cfg.MaxBodySize),
		},
		clients: clients{common: cfg.ClientConfig, linkLocal: cfg.AllowLinkLocal},
		panics:  panics,
		recordings: sync.Pool{New: func() any {
			return &recording{
				builder: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, settings),
				records: metadata.NewLogsBuilder(settings),
			}
		}},
	}
}

func (k *kit) newCensus() *census.Census { return census.New(k.cfg.AgedAfter, k.cfg.MaxSignatures) }

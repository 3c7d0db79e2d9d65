package goroutinereceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// targetDeps is shared by all targets of a receiver, of which there may be tens of thousands.
type targetDeps struct {
	cfg      *Config
	pool     *pool
	logger   *zap.Logger
	requests pprofRequests
	clients  clients
	panics   func(context.Context)
	// recordings has the builders of metrics and records. A scrape uses one while it records.
	recordings sync.Pool // of *recording
}

// pprofRequests are the requests to a target.
type pprofRequests struct{ trace, profile, threads, leaks pprofRequest }

func newTargetDeps(cfg *Config, shared *pool, settings receiver.Settings, panics func(context.Context)) *targetDeps {
	return &targetDeps{
		cfg:    cfg,
		pool:   shared,
		logger: settings.Logger,
		requests: pprofRequests{
			trace:   traceRequest(),
			profile: profileRequest(cfg.MaxBodySize),
			threads: threadsRequest(cfg.MaxBodySize),
			leaks:   leakProfileRequest(cfg.MaxBodySize),
		},
		clients: clients{common: cfg.ClientConfig, allowLinkLocal: cfg.AllowLinkLocal},
		panics:  panics,
		recordings: sync.Pool{New: func() any {
			return &recording{
				builder: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, settings),
				records: metadata.NewLogsBuilder(settings),
			}
		}},
	}
}

func (d *targetDeps) newCensus() *census.Census {
	return census.New(d.cfg.AgedAfter, d.cfg.MaxSignatures)
}

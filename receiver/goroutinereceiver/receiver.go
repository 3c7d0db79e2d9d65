package goroutinereceiver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// goroutineReceiver scrapes each target from a goroutine of its own. The helper
// for scrapers takes them one after another, and cannot end one on Shutdown.
type goroutineReceiver struct {
	interval  time.Duration
	configs   []TargetConfig
	targets   []*target
	next      consumer.Metrics
	telemetry component.TelemetrySettings
	builder   *metadata.TelemetryBuilder
	report    *receiverhelper.ObsReport

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newReceiver(cfg *Config, settings receiver.Settings, next consumer.Metrics) (*goroutineReceiver, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID:             settings.ID,
		Transport:              "http",
		LongLivedCtx:           true,
		ReceiverCreateSettings: settings,
	})
	if err != nil {
		return nil, err
	}
	builder, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	r := &goroutineReceiver{
		interval:  cfg.CollectionInterval,
		configs:   cfg.targets(),
		next:      next,
		telemetry: settings.TelemetrySettings,
		builder:   builder,
		report:    report,
		cancel:    func() {},
	}
	shared := newShared(cfg.MaxConcurrentScrapes)
	panics := func(ctx context.Context) { builder.ReceiverGoroutinePanics.Add(ctx, 1) }
	for i, t := range r.configs {
		target, err := newTarget(cfg, t, shared, settings, panics)
		if err != nil {
			return nil, fmt.Errorf("targets[%d]: %w", i, err)
		}
		r.targets = append(r.targets, target)
	}
	return r, nil
}

// Start begins to scrape. Each target waits for its own place in the interval.
func (r *goroutineReceiver) Start(ctx context.Context, host component.Host) error {
	for i, t := range r.targets {
		if err := t.connect(ctx, r.configs[i], host, r.telemetry); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
	}
	// The context of Start ends with Start.
	running, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	for _, t := range r.targets {
		r.done.Go(func() {
			every(running, r.interval, t.offset(r.interval), func() { r.scrape(running, t) })
		})
	}
	return nil
}

// Shutdown ends the scrapes that are under way, and waits for them for as long as
// ctx allows. It may be called twice, and without Start.
func (r *goroutineReceiver) Shutdown(ctx context.Context) error {
	r.cancel()
	defer r.builder.Shutdown()
	ended := make(chan struct{})
	go func() {
		r.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("a scrape has not ended: %w", ctx.Err())
	}
	for _, t := range r.targets {
		t.disconnect()
	}
	return nil
}

// every calls do after offset, and then once an interval until ctx ends. Calls
// that fall due while one lasts drop out: a target that is slow is given a rest,
// and keeps its place in the interval.
func every(ctx context.Context, interval, offset time.Duration, do func()) {
	first := time.NewTimer(offset)
	defer first.Stop()
	select {
	case <-ctx.Done():
		return
	case <-first.C:
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		do()
		select {
		case <-ticker.C:
		default:
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// scrape hands one scrape of a target to the next consumer. That a scrape failed
// is among its metrics, and no failure of the receiver to receive.
func (r *goroutineReceiver) scrape(ctx context.Context, t *target) {
	operation := r.report.StartMetricsOp(ctx)
	metrics := t.scrape(ctx)
	if ctx.Err() != nil {
		r.report.EndMetricsOp(operation, metadata.Type.String(), 0, nil)
		return // shutting down: what broke off was not the target's fault
	}
	points := metrics.DataPointCount()
	err := r.next.ConsumeMetrics(operation, metrics)
	if ctx.Err() == nil {
		t.outcome.passedOn(err)
	}
	r.report.EndMetricsOp(operation, metadata.Type.String(), points, err)
}

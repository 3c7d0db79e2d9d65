package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// goroutineReceiver scrapes each target from a goroutine of its own. The helper
// for scrapers takes them one after another, and cannot end one on Shutdown.
type goroutineReceiver struct {
	interval  time.Duration
	pool      *pool
	limit     int // of answers that are held at once
	configs   []TargetConfig
	targets   []*target
	next      consumer.Metrics // nil if it is in no pipeline of metrics
	nextLogs  consumer.Logs    // nil if it is in no pipeline of logs
	telemetry component.TelemetrySettings
	builder   *metadata.TelemetryBuilder
	report    *receiverhelper.ObsReport
	// countPanics counts panics.
	countPanics func(ctx context.Context, n int64)

	cancel context.CancelFunc // of scrapes
	// delivery is what the next consumer is called with, and drop ends it.
	delivery context.Context
	drop     context.CancelFunc
	leave    func() // the pool
	forget   func() // by the factory
	start    sync.Once
	startErr error
	done     sync.WaitGroup
}

func newReceiver(cfg *Config, shared *pool, settings receiver.Settings) (*goroutineReceiver, error) {
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
		pool:      shared,
		limit:     cfg.MaxConcurrentScrapes,
		configs:   cfg.targets(),
		telemetry: settings.TelemetrySettings,
		builder:   builder,
		report:    report,
		cancel:    func() {},
		drop:      func() {},
		leave:     func() {},
		forget:    func() {},
	}
	self := metric.WithAttributes(attribute.String("receiver", settings.ID.String()))
	r.countPanics = func(ctx context.Context, n int64) { builder.ReceiverGoroutinePanics.Add(ctx, n, self) }
	panics := func(ctx context.Context) { r.countPanics(ctx, 1) }
	for i, t := range r.configs {
		target, err := newTarget(cfg, t, shared, settings, panics)
		if err != nil {
			return nil, fmt.Errorf("targets[%d]: %w", i, err)
		}
		r.targets = append(r.targets, target)
	}
	return r, nil
}

// Start begins to scrape. It is called for each kind of pipeline, and starts once.
func (r *goroutineReceiver) Start(ctx context.Context, host component.Host) error {
	r.start.Do(func() { r.startErr = r.begin(ctx, host) })
	return r.startErr
}

// begin begins to scrape. Each target waits for its own place in the interval.
func (r *goroutineReceiver) begin(ctx context.Context, host component.Host) error {
	r.countPanics(ctx, 0) // a counter that begins with its first event has no increase then
	for i, t := range r.targets {
		if err := t.connect(ctx, r.configs[i], host, r.telemetry); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
	}
	// The context of Start ends with Start.
	running, cancel := context.WithCancel(context.Background())
	r.cancel, r.leave = cancel, r.pool.join(r.limit)
	r.delivery, r.drop = context.WithCancel(context.Background())
	soon := firstWithin(r.interval, len(r.targets))
	for _, t := range r.targets {
		r.done.Go(func() {
			every(running, r.interval, t.offset(soon), t.offset(r.interval), func() { r.scrape(running, t) })
		})
	}
	return nil
}

// deliverWithin is for how long Shutdown lets scrapes be delivered that were complete.
const deliverWithin = time.Second

// Shutdown ends the scrapes that are under way, and waits for them for as long as
// ctx allows. It is idempotent, and safe before Start.
func (r *goroutineReceiver) Shutdown(ctx context.Context) error {
	r.cancel()
	dropping := time.AfterFunc(deliverWithin, r.drop)
	defer r.drop()
	defer dropping.Stop()
	defer r.forget()
	defer func() {
		for _, t := range r.targets {
			t.origins.process.Leave()
		}
	}()
	defer r.leave() // also if a scrape does not end: its limit must not hold for others
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

// The first scrapes are spread over a few seconds, so that somebody who has just configured
// a target sees it, and over more where there are many targets, up to the interval: no
// more than 50 of a receiver begin in a second.
const (
	firstScrapes  = 5 * time.Second
	betweenFirsts = 20 * time.Millisecond
)

// firstWithin returns within which time all targets are scraped for the first time.
func firstWithin(interval time.Duration, targets int) time.Duration {
	return min(interval, max(firstScrapes, time.Duration(targets)*betweenFirsts))
}

// every calls do after first, and then once an interval until ctx ends, at the given offset
// in it, but not sooner than half an interval after the first. Calls that fall due while
// one lasts drop out: a target that is slow is given a rest, and keeps its place in the
// interval.
func every(ctx context.Context, interval, first, offset time.Duration, do func()) {
	began := time.Now()
	if !sleep(ctx, first) {
		return
	}
	do()
	second := offset
	for second < first+interval/2 || second < time.Since(began) {
		second += interval
	}
	if !sleep(ctx, second-time.Since(began)) {
		return
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

// sleep waits for d, and reports whether ctx is still live then.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// scrape hands one scrape of a target to the next consumers. That a scrape failed
// is among its metrics, and no failure of the receiver to receive. A scrape that was
// complete when Shutdown began is delivered, while Shutdown waits for it.
func (r *goroutineReceiver) scrape(ctx context.Context, t *target) {
	metrics, records, complete := t.scrape(ctx)
	if !complete {
		return // shutting down: what broke off was not the target's fault
	}
	err := errors.Join(r.deliver(metrics), r.deliverLogs(records))
	if ctx.Err() == nil {
		t.outcome.passedOn(err)
	}
}

func (r *goroutineReceiver) deliver(metrics pmetric.Metrics) error {
	if r.next == nil {
		return nil
	}
	operation := r.report.StartMetricsOp(r.delivery)
	points := metrics.DataPointCount()
	err := r.next.ConsumeMetrics(operation, metrics)
	r.report.EndMetricsOp(operation, metadata.Type.String(), points, err)
	return err
}

func (r *goroutineReceiver) deliverLogs(records plog.Logs) error {
	if r.nextLogs == nil || records.LogRecordCount() == 0 {
		return nil
	}
	operation := r.report.StartLogsOp(r.delivery)
	count := records.LogRecordCount()
	err := r.nextLogs.ConsumeLogs(operation, records)
	r.report.EndLogsOp(operation, metadata.Type.String(), count, err)
	return err
}

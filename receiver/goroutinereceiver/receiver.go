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
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// goroutineReceiver scrapes many targets beside each other. The helper for scrapers takes them
// one after another, and cannot end one on Shutdown.
type goroutineReceiver struct {
	kit       *kit
	pool      *pool
	limit     int // of answers that are held at once
	cfg       *Config
	configs   []TargetConfig // of targets
	targets   []*target      // of the configuration
	discovery *discovery
	closers   []func()         // of the connections to servers that list targets
	next      consumer.Metrics // nil if it is in no pipeline of metrics
	nextLogs  consumer.Logs    // nil if it is in no pipeline of logs
	telemetry component.TelemetrySettings
	builder   *metadata.TelemetryBuilder
	report    *receiverhelper.ObsReport
	// countPanics counts panics.
	countPanics func(ctx context.Context, n int64)

	static   map[string]TargetConfig // by identity
	prepared map[string]*target      // those of them that are not scraped yet
	host     component.Host
	// running ends with Shutdown.
	running context.Context
	cancel  context.CancelFunc
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
		pool:      shared,
		limit:     cfg.MaxConcurrentScrapes,
		cfg:       cfg,
		telemetry: settings.TelemetrySettings,
		builder:   builder,
		report:    report,
		static:    make(map[string]TargetConfig),
		prepared:  make(map[string]*target),
		cancel:    func() {},
		drop:      func() {},
		leave:     func() {},
		forget:    func() {},
	}
	self := attribute.String("receiver", settings.ID.String())
	r.countPanics = func(ctx context.Context, n int64) {
		builder.ReceiverGoroutinePanics.Add(ctx, n, metric.WithAttributes(self))
	}
	panics := func(ctx context.Context) { r.countPanics(ctx, 1) }
	r.kit = newKit(cfg, shared, settings, panics)
	r.discovery = &discovery{
		shard:   cfg.Shard.shard(),
		logger:  settings.Logger,
		builder: builder,
		self:    self,
		panics:  panics,
		pool:    shared,
	}
	r.discovery.fleet = r.newFleet()
	if err := r.addStatic(); err != nil {
		return nil, err
	}
	return r, nil
}

// addStatic creates the targets of the configuration that belong to this shard.
func (r *goroutineReceiver) addStatic() error {
	static := sourceList{kind: staticKind}
	for i, t := range r.cfg.targets() {
		listed, err := t.listed()
		if err != nil {
			return fmt.Errorf("targets[%d]: %w", i, err)
		}
		if !r.discovery.shard.Owns(listed.ID) {
			continue
		}
		target, err := newTarget(r.kit, t)
		if err != nil {
			return fmt.Errorf("targets[%d]: %w", i, err)
		}
		r.configs, r.targets = append(r.configs, t), append(r.targets, target)
		static.targets = append(static.targets, listed)
		r.static[listed.ID], r.prepared[listed.ID] = t, target
	}
	r.discovery.lists = []sourceList{static}
	return nil
}

// newFleet returns an empty fleet.
func (r *goroutineReceiver) newFleet() fleet {
	base := r.cfg.target()
	base.Attributes = r.cfg.Attributes
	configOf := func(listed targetlist.Target) TargetConfig {
		if static, known := r.static[listed.ID]; known {
			return static.as(listed)
		}
		return base.as(listed)
	}
	return fleet{
		create: func(listed targetlist.Target) (*target, error) {
			if t, ready := r.prepared[listed.ID]; ready {
				delete(r.prepared, listed.ID)
				t.alter(configOf(listed))
				return t, nil
			}
			t, err := newTarget(r.kit, configOf(listed))
			if err != nil {
				return nil, fmt.Errorf("target %s: %w", listed.ID, err)
			}
			return t, t.connect(r.running, configOf(listed), r.host, r.telemetry)
		},
		change:   func(t *target, listed targetlist.Target) { t.alter(configOf(listed)) },
		schedule: newSchedule(r.cfg.CollectionInterval, r.scrape, r.done.Go),
		active:   make(map[string]*member),
		left:     make(map[string]*member),
	}
}

// Start begins to scrape. It is called for each kind of pipeline, and starts once.
func (r *goroutineReceiver) Start(ctx context.Context, host component.Host) error {
	r.start.Do(func() { r.startErr = r.begin(ctx, host) })
	return r.startErr
}

// begin starts to scrape the targets of the configuration and to poll for others.
func (r *goroutineReceiver) begin(ctx context.Context, host component.Host) error {
	r.countPanics(ctx, 0) // a counter that begins with its first event has no increase then
	for i, t := range r.targets {
		if err := t.connect(ctx, r.configs[i], host, r.telemetry); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
	}
	if r.cfg.discovers() {
		// A mistake in the settings that all targets share fails Start.
		if _, err := r.kit.clients.shared(ctx, host, r.telemetry); err != nil {
			return err
		}
	}
	var err error
	d := r.discovery
	if d.pollers, r.closers, err = newPollers(ctx, r.cfg, host, r.telemetry); err != nil {
		return err
	}
	for _, p := range d.pollers {
		d.lists = append(d.lists, sourceList{kind: p.source.kind()})
	}
	if err := d.observe(); err != nil {
		return err
	}
	r.host = host
	// The context of Start ends with Start.
	r.running, r.cancel = context.WithCancel(context.Background())
	leave := r.pool.join(r.limit)
	r.leave = sync.OnceFunc(func() {
		leave()
		d.mu.Lock()
		defer d.mu.Unlock()
		r.pool.targets.Add(-int64(len(d.fleet.active)))
	})
	r.delivery, r.drop = context.WithCancel(context.Background())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reconcile()
	r.done.Go(func() { d.fleet.schedule.run(r.running) })
	for i := range d.pollers {
		r.done.Go(func() { d.follow(r.running, i) })
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
	r.discovery.fleet.schedule.leave()
	r.kit.clients.closeIdle()
	for _, closeIdle := range r.closers {
		closeIdle()
	}
	return nil
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

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

// goroutineReceiver scrapes many targets concurrently. scraperhelper scrapes them one after
// another, and cannot cancel a scrape on Shutdown.
type goroutineReceiver struct {
	deps      *targetDeps
	pool      *pool
	limit     int // of responses in memory at once
	cfg       *Config
	configs   []TargetConfig // of targets
	targets   []*target      // static
	discovery *discovery
	closers   []func()         // of the connections to sources of targets
	next      consumer.Metrics // nil if in no metrics pipeline
	nextLogs  consumer.Logs    // nil if in no logs pipeline
	telemetry component.TelemetrySettings
	builder   *metadata.TelemetryBuilder
	report    *receiverhelper.ObsReport
	// countPanics adds to the counter of panics.
	countPanics func(ctx context.Context, n int64)

	static   map[string]TargetConfig // by identity
	prepared map[string]*target      // static targets that are not yet in the fleet, by identity
	host     component.Host
	// runCtx is canceled by Shutdown.
	runCtx context.Context
	cancel context.CancelFunc
	// deliverCtx is the context of calls to the next consumers.
	deliverCtx    context.Context
	cancelDeliver context.CancelFunc
	leavePool     func()
	unregister    func() // from the factory
	startOnce     sync.Once
	startErr      error
	goroutines    sync.WaitGroup
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
		pool:          shared,
		limit:         cfg.MaxConcurrentScrapes,
		cfg:           cfg,
		telemetry:     settings.TelemetrySettings,
		builder:       builder,
		report:        report,
		static:        make(map[string]TargetConfig),
		prepared:      make(map[string]*target),
		cancel:        func() {},
		cancelDeliver: func() {},
		leavePool:     func() {},
		unregister:    func() {},
	}
	receiverAttr := attribute.String("receiver", settings.ID.String())
	r.countPanics = func(ctx context.Context, n int64) {
		builder.ReceiverGoroutinePanics.Add(ctx, n, metric.WithAttributes(receiverAttr))
	}
	panics := func(ctx context.Context) { r.countPanics(ctx, 1) }
	r.deps = newTargetDeps(cfg, shared, settings, panics)
	r.discovery = &discovery{
		shard:        cfg.Shard.shard(),
		logger:       settings.Logger,
		builder:      builder,
		receiverAttr: receiverAttr,
		panics:       panics,
		pool:         shared,
	}
	r.discovery.fleet = r.newFleet()
	if err := r.addStatic(); err != nil {
		return nil, err
	}
	return r, nil
}

// addStatic creates the static targets of this shard.
func (r *goroutineReceiver) addStatic() error {
	static := sourceList{kind: staticKind}
	for i, t := range r.cfg.targets() {
		listed, err := t.toListed()
		if err != nil {
			return fmt.Errorf("targets[%d]: %w", i, err)
		}
		if !r.discovery.shard.Owns(listed.ID) {
			continue
		}
		target, err := newTarget(r.deps, t)
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
			return static.withListed(listed)
		}
		return base.withListed(listed)
	}
	return fleet{
		create: func(listed targetlist.Target) (*target, error) {
			if t, ready := r.prepared[listed.ID]; ready {
				delete(r.prepared, listed.ID)
				t.setConfig(configOf(listed))
				return t, nil
			}
			t, err := newTarget(r.deps, configOf(listed))
			if err != nil {
				return nil, fmt.Errorf("target %s: %w", listed.ID, err)
			}
			return t, t.connect(r.runCtx, configOf(listed), r.host, r.telemetry)
		},
		change:   func(t *target, listed targetlist.Target) { t.setConfig(configOf(listed)) },
		schedule: newSchedule(r.cfg.CollectionInterval, r.scrape, r.goroutines.Go),
		active:   make(map[string]*member),
		parked:   make(map[string]*member),
	}
}

// Start starts scraping. It is called once per pipeline; only the first call has an effect.
func (r *goroutineReceiver) Start(ctx context.Context, host component.Host) error {
	r.startOnce.Do(func() { r.startErr = r.startScraping(ctx, host) })
	return r.startErr
}

// startScraping starts to scrape the static targets and to poll for others.
func (r *goroutineReceiver) startScraping(ctx context.Context, host component.Host) error {
	r.countPanics(ctx, 0) // else the first panic would not be an increase
	for i, t := range r.targets {
		if err := t.connect(ctx, r.configs[i], host, r.telemetry); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
	}
	if r.cfg.hasDiscovery() {
		// Fail now if the common settings are invalid.
		if _, err := r.deps.clients.shared(ctx, host, r.telemetry); err != nil {
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
	if err := d.registerGauges(); err != nil {
		return err
	}
	r.host = host
	// The context of Start is not valid after Start returns.
	r.runCtx, r.cancel = context.WithCancel(context.Background())
	leave := r.pool.join(r.limit)
	r.leavePool = sync.OnceFunc(func() {
		leave()
		d.mu.Lock()
		defer d.mu.Unlock()
		r.pool.targets.Add(-int64(len(d.fleet.active)))
	})
	r.deliverCtx, r.cancelDeliver = context.WithCancel(context.Background())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reconcile()
	r.goroutines.Go(func() { d.fleet.schedule.run(r.runCtx) })
	for i := range d.pollers {
		r.goroutines.Go(func() { d.pollSource(r.runCtx, i) })
	}
	return nil
}

// deliveryGrace is how long Shutdown waits for the delivery of completed scrapes.
const deliveryGrace = time.Second

// Shutdown cancels all scrapes and waits for them until ctx is done. It is idempotent and safe
// before Start.
func (r *goroutineReceiver) Shutdown(ctx context.Context) error {
	r.cancel()
	grace := time.AfterFunc(deliveryGrace, r.cancelDeliver)
	defer r.cancelDeliver()
	defer grace.Stop()
	defer r.unregister()
	defer r.leavePool() // even if a scrape does not end, since the limit affects other receivers
	defer r.builder.Shutdown()
	ended := make(chan struct{})
	go func() {
		r.goroutines.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("a scrape has not ended: %w", ctx.Err())
	}
	r.discovery.fleet.schedule.releaseTargets()
	r.deps.clients.closeIdle()
	for _, closeIdle := range r.closers {
		closeIdle()
	}
	return nil
}

// scrape scrapes a target and passes the result to the next consumers. A failed scrape is
// reported by its metrics, not as an error of the receiver. A scrape that is complete when
// Shutdown is called is still delivered, within deliveryGrace.
func (r *goroutineReceiver) scrape(ctx context.Context, t *target) {
	metrics, records, complete := t.scrape(ctx)
	if !complete {
		return // canceled by Shutdown, not a failure of the target
	}
	err := errors.Join(r.deliver(metrics), r.deliverLogs(records))
	if ctx.Err() == nil {
		t.outcomes.logDelivery(err)
	}
}

func (r *goroutineReceiver) deliver(metrics pmetric.Metrics) error {
	if r.next == nil {
		return nil
	}
	operation := r.report.StartMetricsOp(r.deliverCtx)
	points := metrics.DataPointCount()
	err := r.next.ConsumeMetrics(operation, metrics)
	r.report.EndMetricsOp(operation, metadata.Type.String(), points, err)
	return err
}

func (r *goroutineReceiver) deliverLogs(records plog.Logs) error {
	if r.nextLogs == nil || records.LogRecordCount() == 0 {
		return nil
	}
	operation := r.report.StartLogsOp(r.deliverCtx)
	count := records.LogRecordCount()
	err := r.nextLogs.ConsumeLogs(operation, records)
	r.report.EndLogsOp(operation, metadata.Type.String(), count, err)
	return err
}

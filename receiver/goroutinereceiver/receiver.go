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

// goroutineReceiver scrapes each target from a goroutine of its own. The helper
// for scrapers takes them one after another, and cannot end one on Shutdown.
type goroutineReceiver struct {
	interval  time.Duration
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
		interval:  cfg.CollectionInterval,
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
	create := func(t TargetConfig) (*target, error) { return newTarget(cfg, t, shared, settings, panics) }
	r.discovery = &discovery{
		shard:   cfg.Shard.shard(),
		logger:  settings.Logger,
		builder: builder,
		self:    self,
		panics:  panics,
	}
	r.discovery.fleet = r.newFleet(create)
	if err := r.addStatic(create); err != nil {
		return nil, err
	}
	return r, nil
}

// addStatic creates the targets of the configuration that belong to this shard.
func (r *goroutineReceiver) addStatic(create func(TargetConfig) (*target, error)) error {
	static := sourceList{kind: staticKind}
	for i, t := range r.cfg.targets() {
		listed, err := t.listed()
		if err != nil {
			return fmt.Errorf("targets[%d]: %w", i, err)
		}
		if !r.discovery.shard.Owns(listed.ID) {
			continue
		}
		target, err := create(t)
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
func (r *goroutineReceiver) newFleet(create func(TargetConfig) (*target, error)) fleet {
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
			t, err := create(configOf(listed))
			if err != nil {
				return nil, fmt.Errorf("target %s: %w", listed.ID, err)
			}
			return t, t.connect(r.running, configOf(listed), r.host, r.telemetry)
		},
		change: func(t *target, listed targetlist.Target) { t.alter(configOf(listed)) },
		scrape: func(ctx context.Context, t *target, soon time.Duration) {
			every(ctx, r.interval, t.offset(soon), t.offset(r.interval), func() { r.scrape(ctx, t) })
			t.leave()
		},
		start:  r.done.Go,
		soon:   func(added int) time.Duration { return firstWithin(r.interval, added) },
		active: make(map[string]*member),
		left:   make(map[string]*member),
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
		if _, err := new(innermost).client(ctx, r.cfg.ClientConfig, host, r.telemetry); err != nil {
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
	r.leave = r.pool.join(r.limit)
	r.delivery, r.drop = context.WithCancel(context.Background())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reconcile(r.running)
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
	for _, closeIdle := range r.closers {
		closeIdle()
	}
	return nil
}

// The first scrapes are spread over a few seconds, so that somebody who has just configured
// a target sees it, and over more where there are many targets, up to the interval: no
// more than 50 of a receiver begin in a second.
const (
	firstScrapes  = 4 * time.Second
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

package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/endpoint"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// target is one process that is scraped. It is not safe for concurrent use: each
// has one goroutine.
type target struct {
	name      string // host:port
	timeout   time.Duration
	captor    captor
	leaks     *leakProfiler
	build     build
	origins   originTracer
	newCensus func() *census.Census
	census    *census.Census
	builder   *metadata.MetricsBuilder
	records   *metadata.LogsBuilder
	resource  pcommon.Resource
	panics    func(context.Context)
	outcome   outcome
	failures  failures
	// at is when the latest census was taken. What is proved of leaks has the same time
	// stamp, or it would not belong to the same observation.
	at        time.Time
	lifetimes lifetimes // to be emitted
	innermost innermost
	// altered is the configuration that the next scrape adopts, if any.
	altered atomic.Pointer[TargetConfig]
}

func newTarget(cfg *Config, t TargetConfig, pool *pool, settings receiver.Settings, panics func(context.Context)) (*target, error) {
	address, err := endpoint.Parse(t.ClientConfig.Endpoint)
	if err != nil {
		return nil, err
	}
	name := endpoint.Instance(address)
	newCensus := func() *census.Census { return census.New(cfg.AgedAfter, cfg.MaxSignatures) }
	builder := metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, settings)
	logger := settings.Logger.With(zap.String("target", name))
	scraped := &target{
		name:    name,
		timeout: t.ClientConfig.Timeout,
		captor: captor{
			fetcher:  fetcher{address: address, maxBody: cfg.MaxBodySize, pool: pool},
			traces:   wantTrace(),
			profiles: wantProfile(cfg.MaxBodySize),
			mode:     t.Capture,
			interval: cfg.CollectionInterval,
		},
		newCensus: newCensus,
		census:    newCensus(),
		builder:   builder,
		records:   metadata.NewLogsBuilder(settings),
		resource:  newResource(builder.NewResourceBuilder(), t, address),
		panics:    panics,
		outcome:   outcome{logger: logger, agedAfter: cfg.AgedAfter},
		failures:  newFailures(),
		innermost: innermost{reach: reach{linkLocal: cfg.AllowLinkLocal}},
	}
	scraped.leaks = newLeakProfiler(cfg, &scraped.captor.fetcher, logger)
	scraped.build = newBuild(&scraped.captor.fetcher, cfg.MaxBodySize)
	scraped.origins = newOriginTracer(cfg, &scraped.captor.fetcher, pool.scout)
	return scraped, nil
}

// unknownService is what the semantic conventions have for a service without a
// name.
const unknownService = "unknown_service:go"

func newResource(rb *metadata.ResourceBuilder, t TargetConfig, address *url.URL) pcommon.Resource {
	host, port := endpoint.HostAndPort(address)
	rb.SetServerAddress(host)
	rb.SetServerPort(port)
	rb.SetServiceInstanceID(endpoint.Instance(address))
	rb.SetServiceName(unknownService)
	if t.ServiceName != "" {
		rb.SetServiceName(t.ServiceName)
	}
	resource := rb.Emit()
	for key, value := range t.Attributes {
		resource.Attributes().PutStr(key, value)
	}
	return resource
}

// connect makes the target's own client: its own connections, so that a new one
// can be told, and its own credentials.
func (t *target) connect(ctx context.Context, cfg TargetConfig, host component.Host, settings component.TelemetrySettings) error {
	client, err := t.innermost.client(ctx, cfg.ClientConfig, host, settings)
	if err != nil {
		return err
	}
	t.captor.client = client
	return nil
}

// alter sets the configuration that the next scrape adopts. The census stays. It is safe for
// concurrent use.
func (t *target) alter(cfg TargetConfig) { t.altered.Store(&cfg) }

// adopt applies what alter has set.
func (t *target) adopt() {
	cfg := t.altered.Swap(nil)
	if cfg == nil {
		return
	}
	address, err := endpoint.Parse(cfg.ClientConfig.Endpoint)
	if err != nil {
		return // it stays as it is; a list of targets has none such
	}
	t.captor.address, t.captor.mode = address, cfg.Capture
	t.resource = newResource(t.builder.NewResourceBuilder(), *cfg, address)
}

// leave releases what the target shares with others, and its connections. It may be scraped again.
func (t *target) leave() {
	t.origins.process.Leave()
	t.innermost.closeIdle()
}

// offset spreads the targets over the interval, each always at the same place.
func (t *target) offset(interval time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.name)) // never fails, says hash.Hash
	return time.Duration(h.Sum64() % uint64(interval))
}

// scrape takes one census and returns its metrics, and log records where something new is
// known of origins. Whatever goes wrong, they say so; a panic costs this scrape and no more.
// It is not complete if parent ended before the census was taken.
func (t *target) scrape(parent context.Context) (metrics pmetric.Metrics, records plog.Logs, complete bool) {
	t.adopt()
	began := time.Now()
	c, taken := t.traceOrigins(parent)
	ctx, cancel := context.WithTimeout(parent, t.timeout)
	defer cancel()
	if !taken {
		c = t.guardedCapture(ctx)
	}
	t.countPanics(ctx, c.err, c.noTrace)
	took := time.Since(began)
	t.noteConnection(c.newConnection)
	if c.err == nil {
		c.err = t.guardedCensus(c)
		t.countPanics(ctx, c.err)
	}
	if c.err == nil {
		t.scrapeBuild(ctx)
		t.scrapeLeaks(ctx, c.snapshot.Count())
	}
	t.origins.settle(time.Now()) // what came of it says nothing without a census
	t.recordScrape(c, took)
	complete = c.err == nil || parent.Err() == nil // else it is we who broke off
	if complete {
		t.outcome.note(c)
	}
	metrics = t.builder.Emit(metadata.WithResource(clone(t.resource)))
	t.lifetimes.appendTo(metrics)
	return metrics, t.records.Emit(metadata.WithLogsResource(t.resource)), complete
}

func clone(resource pcommon.Resource) pcommon.Resource {
	c := pcommon.NewResource()
	resource.CopyTo(c)
	return c
}

func (t *target) guardedCapture(ctx context.Context) (c captured) {
	defer t.guard(&c.err)
	return t.captor.capture(ctx)
}

// guardedCensus takes the snapshot into the census and records it. After a panic
// neither the census nor what was recorded can be trusted.
func (t *target) guardedCensus(c captured) (err error) {
	defer func() {
		if err != nil {
			t.census = t.newCensus()
			t.origins.process.Leave()
			t.builder.Emit()
			t.records.Emit()
			t.lifetimes = lifetimes{}
		}
	}()
	defer t.guard(&err)
	now := time.Now()
	report := t.census.Observe(c.snapshot, now)
	if report.Restarted {
		t.outcome.restarted()
		t.leaks.restart()
		t.build.restart()
	}
	t.at = now
	t.recordCensus(report, now)
	t.recordOrigins(report, now)
	return nil
}

// scrapeLeaks takes a leak profile if it is time to, in what is left of the scrape's
// timeout, and records what is proved.
func (t *target) scrapeLeaks(ctx context.Context, goroutines int) {
	if t.leaks.due() {
		err := t.guardedLeaks(ctx, goroutines)
		t.countPanics(ctx, err)
		if !errors.Is(ctx.Err(), context.Canceled) { // else we are shutting down
			t.leaks.note(err)
		}
	}
	t.recordLeaks()
}

func (t *target) guardedLeaks(ctx context.Context, goroutines int) (err error) {
	defer t.guard(&err)
	newConnection, err := t.leaks.collect(ctx, goroutines)
	t.noteConnection(newConnection)
	return err
}

// noteConnection notes whether the target was connected to anew.
func (t *target) noteConnection(isNew bool) {
	if isNew {
		t.census.Reconnected()
	}
}

// countPanics counts the errors that were panics.
func (t *target) countPanics(ctx context.Context, errs ...error) {
	for _, err := range errs {
		if errors.Is(err, errPanic) || errors.Is(err, exectrace.ErrPanic) {
			t.panics(ctx)
		}
	}
}

// guard makes an error of a panic.
func (t *target) guard(err *error) {
	if p := recover(); p != nil {
		t.outcome.logger.Error("Panic in a scrape, please report it", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
}

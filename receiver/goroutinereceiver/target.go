package goroutinereceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/endpoint"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// target is one process that is scraped. It is not safe for concurrent use: it is scraped once
// at a time. What it keeps between two scrapes there may be tens of thousands of.
type target struct {
	name        string // host:port
	kit         *kit
	timeout     time.Duration
	serviceName string
	attributes  map[string]string
	captor      captor
	leaks       *leakProfiler // nil if none are wanted
	build       build
	origins     *originTracer // nil if none are wanted
	census      *census.Census
	outcome     outcome
	failures    failures
	// at is when the latest census was taken. What is proved of leaks has the same time
	// stamp, or it would not belong to the same observation.
	at time.Time
	// closeOwn closes the connections of a client that is the target's own; nil if it has none.
	closeOwn func()
	// altered is the configuration that the next scrape adopts, if any.
	altered atomic.Pointer[TargetConfig]
}

func newTarget(k *kit, cfg TargetConfig) (*target, error) {
	address, err := endpoint.Parse(cfg.ClientConfig.Endpoint)
	if err != nil {
		return nil, err
	}
	t := &target{
		name:    endpoint.Instance(address),
		kit:     k,
		timeout: cfg.ClientConfig.Timeout,
		captor: captor{
			fetcher:  fetcher{address: address, maxBody: k.cfg.MaxBodySize, pool: k.pool},
			wants:    &k.wants,
			interval: k.cfg.CollectionInterval,
		},
		census:   k.newCensus(),
		failures: newFailures(),
	}
	t.outcome = outcome{logger: t.logger, agedAfter: k.cfg.AgedAfter}
	t.describe(cfg)
	t.leaks = newLeakProfiler(k, &t.captor.fetcher, t.logger)
	t.origins = newOriginTracer(k, &t.captor.fetcher)
	return t, nil
}

func (t *target) logger() *zap.Logger { return t.kit.logger.With(zap.String("target", t.name)) }

// describe takes over what a configuration says of the target.
func (t *target) describe(cfg TargetConfig) {
	t.captor.mode = cfg.Capture
	t.attributes = cfg.Attributes
	t.serviceName = cmp.Or(cfg.Attributes["service.name"], cfg.ServiceName, unknownService)
}

// unknownService is what the semantic conventions have for a service without a
// name.
const unknownService = "unknown_service:go"

// resource returns what the metrics of the target are of.
func (t *target) resource(rb *metadata.ResourceBuilder) pcommon.Resource {
	host, port := endpoint.HostAndPort(t.captor.address)
	rb.SetServerAddress(host)
	rb.SetServerPort(port)
	rb.SetServiceInstanceID(t.name)
	rb.SetServiceName(t.serviceName)
	resource := rb.Emit()
	for key, value := range t.attributes {
		resource.Attributes().PutStr(key, value)
	}
	return resource
}

// connect gives the target its client.
func (t *target) connect(ctx context.Context, cfg TargetConfig, host component.Host, settings component.TelemetrySettings) (err error) {
	t.captor.client, t.closeOwn, err = t.kit.clients.of(ctx, cfg.ClientConfig, host, settings)
	return err
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
	t.captor.address = address
	t.describe(*cfg)
}

// leave releases what the target shares with others, and its connections. It may be scraped again.
func (t *target) leave() {
	if t.origins != nil {
		t.origins.process.Leave()
	}
	if t.closeOwn != nil {
		t.closeOwn()
	}
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
	var report census.Report
	if c.err == nil {
		report, c.err = t.guardedCensus(&c)
		t.countPanics(ctx, c.err)
	}
	if c.err == nil {
		t.askBuild(ctx)
		t.collectLeaks(ctx, report.Count)
	}
	metrics, records = t.record(ctx, &c, &report, took)
	complete = c.err == nil || parent.Err() == nil // else it is we who broke off
	if complete {
		t.outcome.note(c)
	}
	return metrics, records, complete
}

// record records a scrape, which has failed if it cannot be recorded.
func (t *target) record(ctx context.Context, c *captured, report *census.Report, took time.Duration) (pmetric.Metrics, plog.Logs) {
	to := t.kit.recordings.Get().(*recording)
	if c.err == nil {
		if c.err = t.guardedRecord(to, report); c.err != nil {
			t.countPanics(ctx, c.err)
			to = t.kit.recordings.New().(*recording) // the other one cannot be trusted
		}
	}
	t.origins.settle(time.Now()) // what came of it says nothing without a census
	t.recordScrape(to, *c, took)
	defer t.kit.recordings.Put(to)
	return to.emit(t.resource(to.builder.NewResourceBuilder()))
}

func (t *target) guardedCapture(ctx context.Context) (c captured) {
	defer t.guard(&c.err)
	return t.captor.capture(ctx)
}

// guardedCensus takes the snapshot into the census.
func (t *target) guardedCensus(c *captured) (report census.Report, err error) {
	defer t.distrust(&err)
	defer t.guard(&err)
	t.at = time.Now()
	report = t.census.Observe(c.snapshot, t.at)
	if report.Restarted {
		t.outcome.restarted()
		t.build.restart()
		if t.leaks != nil {
			t.leaks.restart()
		}
	}
	if t.origins != nil {
		t.origins.process.Look(t.service(), &report, t.at)
	}
	return report, nil
}

// guardedRecord records what was seen of the process.
func (t *target) guardedRecord(to *recording, report *census.Report) (err error) {
	defer t.distrust(&err)
	defer t.guard(&err)
	to.census(report, t.at)
	t.recordOrigins(to, report, t.at)
	t.recordBuild(to)
	t.recordLeaks(to)
	return nil
}

// distrust begins afresh after a panic: what the census says cannot be trusted any more.
func (t *target) distrust(err *error) {
	if *err == nil {
		return
	}
	t.census = t.kit.newCensus()
	if t.origins != nil {
		t.origins.process.Leave()
	}
}

// collectLeaks takes a leak profile if it is time to, in what is left of the scrape's timeout.
func (t *target) collectLeaks(ctx context.Context, goroutines int) {
	if t.leaks == nil || !t.leaks.due() {
		return
	}
	err := t.guardedLeaks(ctx, goroutines)
	t.countPanics(ctx, err)
	if !errors.Is(ctx.Err(), context.Canceled) { // else we are shutting down
		t.leaks.note(err)
	}
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
			t.kit.panics(ctx)
		}
	}
}

// guard makes an error of a panic.
func (t *target) guard(err *error) {
	if p := recover(); p != nil {
		t.logger().Error("Panic in a scrape, please report it", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
}

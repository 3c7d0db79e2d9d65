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

// target is a scraped process. There may be tens of thousands, so it must be small between
// scrapes. It is not safe for concurrent use.
type target struct {
	name        string // host:port
	deps        *targetDeps
	timeout     time.Duration
	serviceName string
	attributes  map[string]string
	capturer    capturer
	leaks       *leakProfiler // nil if disabled
	build       build
	origins     *originTracer // nil if disabled
	census      *census.Census
	outcomes    outcomeLog
	failures    failures
	// censusAt is the time of the latest census. Proved leaks have the same timestamp, so that
	// they belong to the same observation.
	censusAt time.Time
	// closeOwn closes the connections of the target's own client; nil if it has none.
	closeOwn func()
	// pendingConfig is the configuration that the next scrape applies, or nil.
	pendingConfig atomic.Pointer[TargetConfig]
}

func newTarget(deps *targetDeps, cfg TargetConfig) (*target, error) {
	address, err := endpoint.Parse(cfg.ClientConfig.Endpoint)
	if err != nil {
		return nil, err
	}
	t := &target{
		name:    endpoint.Instance(address),
		deps:    deps,
		timeout: cfg.ClientConfig.Timeout,
		capturer: capturer{
			fetcher:  fetcher{address: address, maxBody: deps.cfg.MaxBodySize, pool: deps.pool},
			requests: &deps.requests,
			interval: deps.cfg.CollectionInterval,
		},
		census:   deps.newCensus(),
		failures: newFailures(),
	}
	t.outcomes = outcomeLog{logger: t.logger, agedAfter: deps.cfg.AgedAfter}
	t.configure(cfg)
	t.leaks = newLeakProfiler(deps, &t.capturer.fetcher, t.logger)
	t.origins = newOriginTracer(deps, &t.capturer.fetcher)
	return t, nil
}

func (t *target) logger() *zap.Logger { return t.deps.logger.With(zap.String("target", t.name)) }

// configure sets the attributes and the capture of the target.
func (t *target) configure(cfg TargetConfig) {
	t.capturer.mode = cfg.Capture
	t.attributes = cfg.Attributes
	t.serviceName = cmp.Or(cfg.Attributes["service.name"], cfg.ServiceName, unknownService)
}

// unknownService is the service name that the semantic conventions define for services without
// one.
const unknownService = "unknown_service:go"

// resource returns the resource of the target.
func (t *target) resource(rb *metadata.ResourceBuilder) pcommon.Resource {
	host, port := endpoint.HostAndPort(t.capturer.address)
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

// connect sets the HTTP client of the target.
func (t *target) connect(ctx context.Context, cfg TargetConfig, host component.Host, settings component.TelemetrySettings) (err error) {
	t.capturer.client, t.closeOwn, err = t.deps.clients.forTarget(ctx, cfg.ClientConfig, host, settings)
	return err
}

// setConfig sets the configuration that the next scrape applies. The census stays. setConfig is
// safe for concurrent use.
func (t *target) setConfig(cfg TargetConfig) { t.pendingConfig.Store(&cfg) }

// applyConfig applies the configuration that setConfig has set.
func (t *target) applyConfig() {
	cfg := t.pendingConfig.Swap(nil)
	if cfg == nil {
		return
	}
	address, err := endpoint.Parse(cfg.ClientConfig.Endpoint)
	if err != nil {
		return // targetlist has parsed it before
	}
	t.capturer.address = address
	t.configure(*cfg)
}

// release releases shared resources and idle connections. The target may be scraped again.
func (t *target) release() {
	if t.origins != nil {
		t.origins.process.Reset()
	}
	if t.closeOwn != nil {
		t.closeOwn()
	}
}

// offset returns the offset of the target in the interval. It spreads the targets, and is always
// the same for one target.
func (t *target) offset(interval time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.name)) // never fails, says hash.Hash
	return time.Duration(h.Sum64() % uint64(interval))
}

// scrape takes a census and returns its metrics, and log records of changed origins. The metrics
// also report failures. A panic fails only this scrape. complete is false if parent was done before
// the census was taken.
func (t *target) scrape(parent context.Context) (metrics pmetric.Metrics, records plog.Logs, complete bool) {
	t.applyConfig()
	began := time.Now()
	c, taken := t.traceOrigins(parent)
	ctx, cancel := context.WithTimeout(parent, t.timeout)
	defer cancel()
	if !taken {
		c = t.guardedCapture(ctx)
	}
	t.countPanics(ctx, c.err, c.traceErr)
	took := time.Since(began)
	t.noteConnection(c.newConnection)
	var report census.Report
	if c.err == nil {
		report, c.err = t.guardedCensus(&c)
		t.countPanics(ctx, c.err)
	}
	if c.err == nil {
		t.fetchBuild(ctx)
		t.collectLeaks(ctx, report.Count)
	}
	metrics, records = t.record(ctx, &c, &report, took)
	complete = c.err == nil || parent.Err() == nil // else canceled by Shutdown
	if complete {
		t.outcomes.logScrape(c)
	}
	return metrics, records, complete
}

// record records a scrape. If recording panics, the scrape has failed.
func (t *target) record(ctx context.Context, c *captureResult, report *census.Report, took time.Duration) (pmetric.Metrics, plog.Logs) {
	rec := t.deps.recordings.Get().(*recording)
	if c.err == nil {
		if c.err = t.guardedRecord(rec, report); c.err != nil {
			t.countPanics(ctx, c.err)
			rec = t.deps.recordings.New().(*recording) // the other one may be inconsistent
		}
	}
	t.origins.finish(time.Now()) // without a census the result is of no use
	t.recordScrape(rec, *c, took)
	defer t.deps.recordings.Put(rec)
	return rec.emit(t.resource(rec.builder.NewResourceBuilder()))
}

func (t *target) guardedCapture(ctx context.Context) (c captureResult) {
	defer t.recoverPanic(&c.err)
	return t.capturer.capture(ctx)
}

// guardedCensus adds the snapshot to the census.
func (t *target) guardedCensus(c *captureResult) (report census.Report, err error) {
	defer t.resetOnPanic(&err)
	defer t.recoverPanic(&err)
	t.censusAt = time.Now()
	report = t.census.Observe(c.snapshot, t.censusAt)
	if report.Restarted {
		t.outcomes.logRestart()
		t.build.reset()
		if t.leaks != nil {
			t.leaks.reset()
		}
	}
	if t.origins != nil {
		t.origins.process.Observe(t.serviceKey(), &report, t.censusAt)
	}
	return report, nil
}

// guardedRecord records the metrics of the process.
func (t *target) guardedRecord(rec *recording, report *census.Report) (err error) {
	defer t.resetOnPanic(&err)
	defer t.recoverPanic(&err)
	rec.recordCensus(report, t.censusAt)
	t.recordOrigins(rec, report, t.censusAt)
	t.recordBuild(rec)
	t.recordLeaks(rec)
	return nil
}

// resetOnPanic starts a new census if err is set: after a panic the old one may be inconsistent.
func (t *target) resetOnPanic(err *error) {
	if *err == nil {
		return
	}
	t.census = t.deps.newCensus()
	if t.origins != nil {
		t.origins.process.Reset()
	}
}

// collectLeaks takes a leak profile if one is due, within the rest of the scrape's timeout.
func (t *target) collectLeaks(ctx context.Context, goroutines int) {
	if t.leaks == nil || !t.leaks.due() {
		return
	}
	err := t.guardedLeaks(ctx, goroutines)
	t.countPanics(ctx, err)
	if !errors.Is(ctx.Err(), context.Canceled) { // else canceled by Shutdown
		t.leaks.logOutcome(err)
	}
}

func (t *target) guardedLeaks(ctx context.Context, goroutines int) (err error) {
	defer t.recoverPanic(&err)
	newConnection, err := t.leaks.collect(ctx, goroutines)
	t.noteConnection(newConnection)
	return err
}

// noteConnection tells the census about a new connection.
func (t *target) noteConnection(isNew bool) {
	if isNew {
		t.census.Reconnected()
	}
}

// countPanics counts the errors that are recovered panics.
func (t *target) countPanics(ctx context.Context, errs ...error) {
	for _, err := range errs {
		if errors.Is(err, errPanic) || errors.Is(err, exectrace.ErrPanic) {
			t.deps.panics(ctx)
		}
	}
}

// recoverPanic recovers from a panic and returns it in err. It must be deferred.
func (t *target) recoverPanic(err *error) {
	if p := recover(); p != nil {
		t.logger().Error("Panic in a scrape, please report it", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
}

package leakpage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/exporter/leakpage/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/points"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// leakPage passes metrics and origins to a page.Aggregator, and serves its Site.
type leakPage struct {
	config     *Config
	set        component.TelemetrySettings
	id         component.ID
	log        *zap.Logger
	telemetry  *metadata.TelemetryBuilder
	aggregator *page.Aggregator
	handler    *page.Handler
	unregister func() // removes the exporter from the factory

	start, stop       sync.Once
	startErr, stopErr error
	server            *http.Server
	serving           sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	store   *state.Store
	saved   time.Time     // time of the last attempt to save
	delay   time.Duration // from then until the next attempt
	dirty   bool          // a batch was read since
	counted [2]int64      // dropped points as counted so far, invalid and beyond
	warned  bool          // that no detector reports
}

func newLeakPage(c *Config, set exporter.Settings) (*leakPage, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	aggregator := c.newAggregator()
	p := &leakPage{
		config: c, set: set.TelemetrySettings, id: set.ID, log: set.Logger, telemetry: telemetry,
		aggregator: aggregator, handler: page.NewHandler(aggregator, c.options(), c.AllowedHosts), delay: saveInterval,
	}
	p.store = state.NewStore(set.Logger, p.stateFailed)
	return p, nil
}

// Capabilities reports that the exporter does not change data.
func (*leakPage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start restores the saved state and starts the server. The collector calls it for each signal; only
// the first call has an effect.
func (p *leakPage) Start(ctx context.Context, host component.Host) error {
	p.start.Do(func() { p.startErr = p.startOnce(ctx, host) })
	return p.startErr
}

func (p *leakPage) startOnce(ctx context.Context, host component.Host) error {
	if p.config.Storage != nil {
		p.mu.Lock()
		err := p.store.Open(ctx, host, *p.config.Storage, component.KindExporter, p.id, p.aggregator.UnmarshalBinary)
		p.mu.Unlock()
		if err != nil {
			return err
		}
	}
	server, err := p.config.Server.ToServer(ctx, host.GetExtensions(), p.set, p.handler)
	if err != nil {
		return fmt.Errorf("serve the page: %w", err)
	}
	listener, err := p.config.Server.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("'endpoint': %w", err)
	}
	p.server = server
	p.log.Info("Serving the page", zap.String("address", listener.Addr().String()))
	p.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve the page: %w", err)))
		}
	})
	return nil
}

// shutdownTimeout is the time for requests in flight to complete.
const shutdownTimeout = 5 * time.Second

// Shutdown stops the server and saves the state. It is idempotent and safe before Start.
func (p *leakPage) Shutdown(ctx context.Context) error {
	p.stop.Do(func() { p.stopErr = p.stopOnce(ctx) })
	return p.stopErr
}

func (p *leakPage) stopOnce(ctx context.Context) error {
	if p.unregister != nil {
		p.unregister()
	}
	p.handler.Close()
	var err error
	if p.server != nil {
		limited, cancel := context.WithTimeout(ctx, shutdownTimeout)
		defer cancel()
		if err = p.server.Shutdown(limited); err != nil {
			err = errors.Join(err, p.server.Close())
		}
		p.serving.Wait()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.save(ctx)
	p.store.Close(ctx)
	p.telemetry.Shutdown()
	return err
}

// ConsumeMetrics adds a batch. It returns no error, since a batch that was read must not come
// again.
func (p *leakPage) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	now := time.Now()
	p.recoverPanic(ctx, func() {
		p.aggregator.ObserveBatch(now, func(observe func(finding.Point)) { points.Read(md, p.aggregator.Reads, observe) })
	})
	p.finishBatch(ctx, now)
	return nil
}

// ConsumeLogs adds the origins in a batch. It returns no error.
func (p *leakPage) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	now := time.Now()
	p.recoverPanic(ctx, func() {
		readOrigins(ld, func(of finding.Service, o history.Origin) { p.aggregator.ObserveOrigin(of, o, now) })
	})
	p.finishBatch(ctx, now)
	return nil
}

// recoverPanic calls read, and recovers from a panic and logs it, so that a defect does not end the
// collector.
func (p *leakPage) recoverPanic(ctx context.Context, read func()) {
	defer func() {
		if cause := recover(); cause != nil {
			p.telemetry.ExporterLeakPageFailedBatches.Add(ctx, 1)
			p.log.Error("A batch could not be read; please report this defect", zap.Any("panic", cause), zap.Stack("stack"))
		}
	}()
	read()
}

// finishBatch updates the internal telemetry, and saves the state if that is due.
func (p *leakPage) finishBatch(ctx context.Context, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.telemetry.ExporterLeakPageFindings.Record(ctx, int64(p.aggregator.Size()))
	invalid, beyond := p.aggregator.Dropped()
	for i, dropped := range [...]struct {
		reason string
		n      int64
	}{{"invalid", invalid}, {"beyond", beyond}} {
		if more := dropped.n - p.counted[i]; more > 0 {
			p.telemetry.ExporterLeakPageDroppedPoints.Add(ctx, more, metric.WithAttributes(attribute.String("reason", dropped.reason)))
			p.counted[i] = dropped.n
		}
	}
	if !p.warned && p.aggregator.IsUnjudged(now) {
		p.warned = true
		p.log.Warn("Goroutines have arrived for five minutes, but no verdict: leaks are shown only if leak_detect is in the pipeline before this exporter. With services: false it reports nothing before it flags a leak")
	}
	p.dirty = true
	if now.Sub(p.saved) >= p.delay {
		p.save(ctx)
		p.saved = now
	}
}

// saveInterval is the maximum time that is lost by a crash. Since the state is saved as a whole, the
// interval is longer if the rate would exceed maxRate, in bytes per second.
const (
	saveInterval = time.Minute
	maxRate      = 256 << 10
)

// save saves the state if it has changed.
func (p *leakPage) save(ctx context.Context) {
	if !p.dirty || !p.store.IsOpen() {
		return
	}
	size, saved := p.store.Save(context.WithoutCancel(ctx), p.aggregator.MarshalBinary)
	p.dirty = !saved
	p.delay = max(saveInterval, time.Duration(size/maxRate)*time.Second)
}

func (p *leakPage) stateFailed(ctx context.Context, operation string) {
	p.telemetry.ExporterLeakPageStateErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("operation", operation)))
}

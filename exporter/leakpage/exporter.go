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
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// leakPage hands metrics and origins to a memory, and serves it.
type leakPage struct {
	config    *Config
	set       component.TelemetrySettings
	id        component.ID
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	memory    *page.Memory
	handler   *page.Handler
	forget    func()

	start, stop       sync.Once
	startErr, stopErr error
	server            *http.Server
	serving           sync.WaitGroup

	mu      sync.Mutex // of what follows
	keeper  keeper
	saved   time.Time     // when it was tried to save last
	rest    time.Duration // from then until it may be tried again
	dirty   bool          // something came since
	trouble string        // of the storage, that was logged last
	counted [2]int64      // points that were not taken, invalid and beyond
}

func newLeakPage(c *Config, set exporter.Settings) (*leakPage, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	memory := c.memory()
	return &leakPage{
		config: c, set: set.TelemetrySettings, id: set.ID, log: set.Logger, telemetry: telemetry,
		memory: memory, handler: page.NewHandler(memory, c.options(), c.AllowedHosts), rest: saveInterval,
	}, nil
}

// Capabilities says that data is only read.
func (*leakPage) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start goes on from what was remembered and begins to serve. It may be called for each
// signal, and starts once.
func (p *leakPage) Start(ctx context.Context, host component.Host) error {
	p.start.Do(func() { p.startErr = p.begin(ctx, host) })
	return p.startErr
}

func (p *leakPage) begin(ctx context.Context, host component.Host) error {
	if p.config.Storage != nil {
		provider, err := storageOf(host, *p.config.Storage)
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.note(ctx, operationOpen, p.keeper.open(ctx, provider, p.id))
		p.note(ctx, operationLoad, p.keeper.load(ctx, p.memory))
		p.mu.Unlock()
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
	p.log.Info("The page is served", zap.String("address", listener.Addr().String()))
	p.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve the page: %w", err)))
		}
	})
	return nil
}

// shutdownTimeout is how long answers may take that have begun.
const shutdownTimeout = 5 * time.Second

// Shutdown ends the server and keeps what is remembered. It is idempotent and safe without
// Start.
func (p *leakPage) Shutdown(ctx context.Context) error {
	p.stop.Do(func() { p.stopErr = p.end(ctx) })
	return p.stopErr
}

func (p *leakPage) end(ctx context.Context) error {
	if p.forget != nil {
		p.forget()
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
	p.note(ctx, operationClose, p.keeper.close(ctx))
	p.telemetry.Shutdown()
	return err
}

// ConsumeMetrics reads a batch. It returns no error: what is not taken must not come again.
func (p *leakPage) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	now := time.Now()
	p.guard(ctx, func() {
		p.memory.Batch(now, func(observe func(finding.Point)) { readPoints(md, p.memory.Reads, observe) })
	})
	p.settle(ctx, now)
	return nil
}

// ConsumeLogs reads the origins in a batch.
func (p *leakPage) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	now := time.Now()
	p.guard(ctx, func() {
		readOrigins(ld, func(of finding.Service, o history.Origin) { p.memory.Origin(of, o, now) })
	})
	p.settle(ctx, now)
	return nil
}

// guard makes a line in the log of a panic: a defect of ours must not end the collector.
func (p *leakPage) guard(ctx context.Context, read func()) {
	defer func() {
		if cause := recover(); cause != nil {
			p.telemetry.ExporterLeakPageFailedBatches.Add(ctx, 1)
			p.log.Error("A batch could not be read; please report this defect", zap.Any("panic", cause), zap.Stack("stack"))
		}
	}()
	read()
}

// settle counts what came, and keeps what is remembered if it is time.
func (p *leakPage) settle(ctx context.Context, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.telemetry.ExporterLeakPageFindings.Record(ctx, int64(p.memory.Size()))
	invalid, beyond := p.memory.Dropped()
	for i, of := range [...]struct {
		reason string
		n      int64
	}{{"invalid", invalid}, {"beyond", beyond}} {
		if more := of.n - p.counted[i]; more > 0 {
			p.telemetry.ExporterLeakPageDroppedPoints.Add(ctx, more, metric.WithAttributes(attribute.String("reason", of.reason)))
			p.counted[i] = of.n
		}
	}
	p.dirty = true
	if now.Sub(p.saved) >= p.rest {
		p.save(ctx)
		p.saved = now
	}
}

// saveInterval is how much of what was seen a crash can cost, as long as maxRate, in bytes a
// second, lets all be kept so often: it is written as a whole.
const (
	saveInterval = time.Minute
	maxRate      = 256 << 10
)

// save keeps what is remembered, if anything new is.
func (p *leakPage) save(ctx context.Context) {
	if !p.dirty || p.keeper.client == nil {
		return
	}
	size, err := p.keeper.save(context.WithoutCancel(ctx), p.memory)
	p.dirty = err != nil
	p.rest = max(saveInterval, time.Duration(size/maxRate)*time.Second)
	p.note(ctx, operationSave, err)
}

// note counts what goes wrong with the storage, and logs it once for as long as it stays the
// same.
func (p *leakPage) note(ctx context.Context, operation string, err error) {
	if err == nil {
		if operation == operationSave {
			p.trouble = ""
		}
		return
	}
	p.telemetry.ExporterLeakPageStateErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("operation", operation)))
	if text := err.Error(); text != p.trouble {
		p.trouble = text
		p.log.Warn("What is remembered could not be kept over a restart", zap.String("operation", operation),
			zap.Bool("set_aside", errors.Is(err, errUnusable)), zap.Error(err))
	}
}

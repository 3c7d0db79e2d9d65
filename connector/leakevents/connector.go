package leakevents

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// saveInterval is how much of what was seen a crash can cost. Changes are kept at once.
const saveInterval = time.Minute

// maxWaiting is how many events wait for the next consumer at most: a backend that is away for a
// night finds them all, unless hundreds of services change at once.
const maxWaiting = 1000

// leakEvents has a book read all metrics, and passes each change on as a log record. It
// starts no goroutine.
type leakEvents struct {
	config    *Config
	id        component.ID
	version   string
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	next      consumer.Logs

	mu      sync.Mutex
	book    *finding.Book
	dropped finding.Dropped // that was counted
	waiting plog.Logs       // one resource an event, the oldest first
	sending int             // the first of them, which somebody sends now
	keeper  keeper
	saved   time.Time // when it was tried to save last
	dirty   bool      // something came since
	trouble string    // of the storage, that was logged last
	refused string    // by the next consumer, that was logged last
}

func newLeakEvents(c *Config, set connector.Settings, next consumer.Logs) (*leakEvents, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &leakEvents{
		config:    c,
		id:        set.ID,
		version:   set.BuildInfo.Version,
		log:       set.Logger,
		telemetry: telemetry,
		next:      next,
		book:      c.book(),
		waiting:   plog.NewLogs(),
	}, nil
}

// Capabilities tells that metrics are only read.
func (*leakEvents) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start goes on from what was remembered, if that is kept anywhere. A storage that cannot be
// used costs the memory, and no data.
func (e *leakEvents) Start(ctx context.Context, host component.Host) error {
	if e.config.Storage == nil {
		return nil
	}
	provider, err := storageOf(host, *e.config.Storage)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note(ctx, operationOpen, e.keeper.open(ctx, provider, e.id))
	waiting, err := e.keeper.load(ctx, e.book)
	e.note(ctx, operationLoad, err)
	e.waiting = waiting
	return nil
}

// Shutdown keeps what is remembered, events that nobody has taken included. It is safe
// without Start.
func (e *leakEvents) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.save(ctx)
	if n := e.waiting.ResourceLogs().Len(); n > 0 && e.keeper.client == nil {
		e.log.Warn("Events are lost that nobody has taken", zap.Int("events", n))
	}
	e.note(ctx, operationClose, e.keeper.close(ctx))
	return nil
}

// ConsumeMetrics reads a batch and passes on what changed by it. It returns no error: metrics
// that were read must not come again, and events that are refused wait here.
func (e *leakEvents) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	e.read(ctx, md, time.Now())
	for {
		batch, n := e.take()
		if n == 0 {
			return nil
		}
		err := e.next.ConsumeLogs(ctx, batch)
		if !e.sent(ctx, n, err) {
			return nil
		}
	}
}

// read has the book read a batch, and appends what changed to the events that wait. They are
// kept before they leave: who is killed in between sends them after the next start.
func (e *leakEvents) read(ctx context.Context, md pmetric.Metrics, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	changes, err := e.judge(md, now)
	if err != nil {
		e.telemetry.ConnectorLeakEventsFailedBatches.Add(ctx, 1)
		e.log.Error("A batch could not be read; please report this defect", zap.Error(err), zap.Stack("stack"))
		return
	}
	for _, c := range changes {
		appendRecord(e.waiting, c, now, e.config.RunbookURL, e.version)
	}
	e.lose(ctx, e.waiting.ResourceLogs().Len()-maxWaiting)
	e.dirty = true
	if len(changes) > 0 || now.Sub(e.saved) >= saveInterval {
		e.save(ctx)
		e.saved = now
	}
	e.record(ctx)
}

// judge asks the book. A panic in there is a defect of ours, which must not end the collector.
func (e *leakEvents) judge(md pmetric.Metrics, now time.Time) (changes []finding.Change, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	observe(e.book, md)
	return e.book.Advance(now), nil
}

// take returns a copy of the events that wait, and how many those are; none while others are
// being sent, so that they stay in order.
func (e *leakEvents) take() (plog.Logs, int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	batch := plog.NewLogs()
	if e.sending > 0 {
		return batch, 0
	}
	e.waiting.CopyTo(batch)
	e.sending = batch.ResourceLogs().Len()
	return batch, e.sending
}

// sent notes what became of the first n events, and tells whether to go on.
func (e *leakEvents) sent(ctx context.Context, n int, err error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sending = 0
	if err != nil && !consumererror.IsPermanent(err) {
		if text := err.Error(); text != e.refused {
			e.refused = text
			e.log.Warn("Events are not taken by the next component and wait", zap.Int("events", n), zap.Error(err))
		}
		return false
	}
	if err != nil {
		e.log.Error("Events were refused for good", zap.Int("events", n), zap.Error(err))
		e.telemetry.ConnectorLeakEventsLostRecords.Add(ctx, int64(n))
	}
	e.refused = ""
	e.drop(0, n)
	e.dirty = true
	e.save(ctx)
	return true
}

// lose gives up the oldest n events: nobody has taken them for too long. Those that are being
// sent are not among them.
func (e *leakEvents) lose(ctx context.Context, n int) {
	if n <= 0 {
		return
	}
	e.drop(e.sending, n)
	e.telemetry.ConnectorLeakEventsLostRecords.Add(ctx, int64(n))
}

// drop takes n events out, from the first-th on.
func (e *leakEvents) drop(first, n int) {
	i := -1
	e.waiting.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool {
		i++
		return i >= first && i < first+n
	})
}

// save keeps what is remembered, if anything new is.
func (e *leakEvents) save(ctx context.Context) {
	if !e.dirty || e.keeper.client == nil {
		return
	}
	err := e.keeper.save(context.WithoutCancel(ctx), e.book, e.waiting)
	e.dirty = err != nil
	e.note(ctx, operationSave, err)
}

// note counts what goes wrong with the storage, and logs it once for as long as it stays the
// same.
func (e *leakEvents) note(ctx context.Context, operation string, err error) {
	if err == nil {
		if operation == operationSave {
			e.trouble = ""
		}
		return
	}
	e.telemetry.ConnectorLeakEventsStateErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("operation", operation)))
	if text := err.Error(); text != e.trouble {
		e.trouble = text
		e.log.Warn("What is remembered could not be kept over a restart", zap.String("operation", operation),
			zap.Bool("set_aside", errors.Is(err, errUnusable)), zap.Error(err))
	}
}

// record counts for the collector's own telemetry.
func (e *leakEvents) record(ctx context.Context) {
	findings, _ := e.book.Size()
	e.telemetry.ConnectorLeakEventsFindings.Record(ctx, int64(findings))
	now := e.book.Dropped()
	for reason, n := range map[string]int64{"invalid": now.Invalid - e.dropped.Invalid, "beyond": now.Beyond - e.dropped.Beyond} {
		if n > 0 {
			e.telemetry.ConnectorLeakEventsDroppedPoints.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
		}
	}
	e.dropped = now
}

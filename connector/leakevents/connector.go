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

// saveInterval is the time that a crash can cost. Changes are saved at once.
const saveInterval = time.Minute

// maxWaiting bounds the events that wait for the next consumer. It suffices for a backend that is
// down for a night, unless hundreds of services change at once.
const maxWaiting = 1000

// leakEvents passes metrics to a Book, and each change of a finding to the next consumer as a log
// record. It starts no goroutine.
type leakEvents struct {
	config    *Config
	id        component.ID
	version   string
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	next      consumer.Logs

	mu      sync.Mutex
	book    *finding.Book
	dropped finding.Dropped // as counted so far
	waiting plog.Logs       // one resource for each event, the oldest first
	sending int             // number of events that are being sent, the first of waiting
	keeper  keeper
	saved   time.Time // time of the last attempt to save
	dirty   bool      // since then something has come
	trouble string    // last error of the storage that was logged
	refused string    // last error of the next consumer that was logged
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

// Capabilities reports that the connector does not change metrics.
func (*leakEvents) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start loads the state from the storage, if one is configured. If the storage fails, the connector
// starts with an empty state.
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

// Shutdown saves the state, including events that wait. It is safe before Start.
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

// ConsumeMetrics reads a batch and passes on the changes. It returns no error, since metrics that
// were read must not come again. Events that the next consumer refuses wait.
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

// read passes a batch to the Book, and appends the changes to the events that wait. It saves them
// before they are sent, so that a killed collector sends them after the next start.
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

// judge passes a batch to the Book. It recovers from a panic, so that a defect of the Book does not
// end the collector.
func (e *leakEvents) judge(md pmetric.Metrics, now time.Time) (changes []finding.Change, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	observe(e.book, md)
	return e.book.Advance(now), nil
}

// take returns a copy of the events that wait, and their number. It returns none while others are
// being sent, so that events stay in order.
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

// sent handles the result of sending the first n events, and reports whether to go on.
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

// lose drops the oldest n events that are not being sent.
func (e *leakEvents) lose(ctx context.Context, n int) {
	if n <= 0 {
		return
	}
	e.drop(e.sending, n)
	e.telemetry.ConnectorLeakEventsLostRecords.Add(ctx, int64(n))
}

// drop removes n events, beginning with the one at index first.
func (e *leakEvents) drop(first, n int) {
	i := -1
	e.waiting.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool {
		i++
		return i >= first && i < first+n
	})
}

// save saves the state if it has changed.
func (e *leakEvents) save(ctx context.Context) {
	if !e.dirty || e.keeper.client == nil {
		return
	}
	err := e.keeper.save(context.WithoutCancel(ctx), e.book, e.waiting)
	e.dirty = err != nil
	e.note(ctx, operationSave, err)
}

// note counts an error of the storage, and logs it unless it is the same as before.
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

// record updates the internal telemetry.
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

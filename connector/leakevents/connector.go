package leakevents

import (
	"context"
	"encoding/json"
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
	"github.com/otel-goroutine/otel-goroutine/internal/collector/points"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// saveInterval is the maximum time that is lost by a crash. Changes are saved at once.
const saveInterval = time.Minute

// maxWaiting bounds the events that wait for the next consumer. It suffices for a backend that is
// down for a night, unless hundreds of services change at once.
const maxWaiting = 1000

// leakEvents passes metrics to a Tracker, and each change of a finding to the next consumer as a log
// record. It starts no goroutine.
type leakEvents struct {
	config    *Config
	id        component.ID
	version   string
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	next      consumer.Logs

	mu      sync.Mutex
	tracker *finding.Tracker
	dropped finding.Dropped // as counted so far
	waiting plog.Logs       // one resource for each event, the oldest first
	sending int             // number of events that are being sent, the first of waiting
	store   *state.Store
	saved   time.Time // time of the last attempt to save
	dirty   bool      // a batch was read since
	refused string    // last error of the next consumer that was logged
}

func newLeakEvents(c *Config, set connector.Settings, next consumer.Logs) (*leakEvents, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &leakEvents{
		config:    c,
		id:        set.ID,
		version:   set.BuildInfo.Version,
		log:       set.Logger,
		telemetry: telemetry,
		next:      next,
		tracker:   c.newTracker(),
		waiting:   plog.NewLogs(),
	}
	e.store = state.NewStore(set.Logger, e.stateFailed)
	return e, nil
}

// Capabilities reports that the connector does not change metrics.
func (*leakEvents) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start loads the state from the storage, if one is configured. If the storage fails, the connector
// starts with an empty state.
func (e *leakEvents) Start(ctx context.Context, host component.Host) error {
	if e.config.Storage == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.store.Open(ctx, host, *e.config.Storage, component.KindConnector, e.id, e.restore)
}

// Shutdown saves the state, including events that wait. It is safe before Start.
func (e *leakEvents) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.save(ctx)
	if n := e.waiting.ResourceLogs().Len(); n > 0 && !e.store.IsOpen() {
		e.log.Warn("Events that wait for the next component are lost", zap.Int("events", n))
	}
	e.store.Close(ctx)
	return nil
}

// ConsumeMetrics reads a batch and passes on the changes. It returns no error, since metrics that
// were read must not come again. Events that the next consumer refuses wait.
func (e *leakEvents) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	e.read(ctx, md, time.Now())
	for {
		batch, n := e.startSending()
		if n == 0 {
			return nil
		}
		err := e.next.ConsumeLogs(ctx, batch)
		if !e.finishSending(ctx, n, err) {
			return nil
		}
	}
}

// read passes a batch to the Tracker, and appends the changes to the events that wait. It saves them
// before they are sent, so that a killed collector sends them after the next start.
func (e *leakEvents) read(ctx context.Context, md pmetric.Metrics, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	changes, err := e.track(md, now)
	if err != nil {
		e.telemetry.ConnectorLeakEventsFailedBatches.Add(ctx, 1)
		e.log.Error("A batch could not be read; please report this defect", zap.Error(err), zap.Stack("stack"))
		return
	}
	for _, c := range changes {
		appendRecord(e.waiting, c, now, e.config.RunbookURL, e.version)
	}
	e.dropOldest(ctx, e.waiting.ResourceLogs().Len()-maxWaiting)
	e.dirty = true
	if len(changes) > 0 || now.Sub(e.saved) >= saveInterval {
		e.save(ctx)
		e.saved = now
	}
	e.recordTelemetry(ctx)
}

// track passes a batch to the Tracker. It recovers from panics, so that a defect of the Tracker does
// not end the collector.
func (e *leakEvents) track(md pmetric.Metrics, now time.Time) (changes []finding.Change, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	points.Read(md, e.tracker.Reads, e.tracker.Observe)
	return e.tracker.Advance(now), nil
}

// startSending returns a copy of the events that wait, and their number. It returns none while others
// are being sent, so that events stay in order.
func (e *leakEvents) startSending() (plog.Logs, int) {
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

// finishSending handles the result of sending the first n events. It returns false if the rest must
// wait.
func (e *leakEvents) finishSending(ctx context.Context, n int, err error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sending = 0
	if err != nil && !consumererror.IsPermanent(err) {
		if text := err.Error(); text != e.refused {
			e.refused = text
			e.log.Warn("Events wait, since the next component refused them", zap.Int("events", n), zap.Error(err))
		}
		return false
	}
	if err != nil {
		e.log.Error("Events are lost, since the next component refused them permanently", zap.Int("events", n), zap.Error(err))
		e.telemetry.ConnectorLeakEventsLostRecords.Add(ctx, int64(n))
	}
	e.refused = ""
	e.drop(0, n)
	e.dirty = true
	e.save(ctx)
	return true
}

// dropOldest drops the oldest n events that are not being sent.
func (e *leakEvents) dropOldest(ctx context.Context, n int) {
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
	if !e.dirty {
		return
	}
	_, saved := e.store.Save(context.WithoutCancel(ctx), e.encode)
	e.dirty = !saved
}

// savedState is the state in the storage: the Tracker, and the events that wait.
type savedState struct {
	Tracker json.RawMessage `json:"book"`
	Waiting []byte          `json:"waiting,omitempty"` // OTLP
}

func (e *leakEvents) encode() ([]byte, error) {
	tracker, err := e.tracker.MarshalBinary()
	if err != nil {
		return nil, err
	}
	saved := savedState{Tracker: tracker}
	if e.waiting.ResourceLogs().Len() > 0 {
		if saved.Waiting, err = (&plog.ProtoMarshaler{}).MarshalLogs(e.waiting); err != nil {
			return nil, err
		}
	}
	return json.Marshal(saved)
}

func (e *leakEvents) restore(data []byte) error {
	var saved savedState
	if err := json.Unmarshal(data, &saved); err != nil {
		return err
	}
	waiting := plog.NewLogs()
	if len(saved.Waiting) > 0 {
		var err error
		if waiting, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs(saved.Waiting); err != nil {
			return err
		}
	}
	if err := e.tracker.UnmarshalBinary(saved.Tracker); err != nil {
		return err
	}
	e.waiting = waiting
	return nil
}

func (e *leakEvents) stateFailed(ctx context.Context, operation string) {
	e.telemetry.ConnectorLeakEventsStateErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("operation", operation)))
}

// recordTelemetry updates the internal telemetry.
func (e *leakEvents) recordTelemetry(ctx context.Context) {
	findings, _ := e.tracker.Size()
	e.telemetry.ConnectorLeakEventsFindings.Record(ctx, int64(findings))
	now := e.tracker.Dropped()
	for reason, n := range map[string]int64{"invalid": now.Invalid - e.dropped.Invalid, "beyond": now.Beyond - e.dropped.Beyond} {
		if n > 0 {
			e.telemetry.ConnectorLeakEventsDroppedPoints.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
		}
	}
	e.dropped = now
}

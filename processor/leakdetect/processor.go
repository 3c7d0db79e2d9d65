package leakdetect

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// leakDetect judges each batch, adds the findings to it, and reports telemetry.
type leakDetect struct {
	tracker    *tracker
	log        *zap.Logger
	telemetry  *metadata.TelemetryBuilder
	version    string
	failures   atomic.Uint64
	unusedOnce sync.Once // logs overrides that match nothing
	twiceOnce  sync.Once // logs that data is already judged
	expired    sync.Map  // numbers of expired ignore rules that were logged

	id        component.ID
	selfAttr  attribute.KeyValue // distinguishes its telemetry from that of other processors
	storage   *component.ID
	persister *persister
}

func newLeakDetect(c *Config, set processor.Settings) (*leakDetect, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &leakDetect{
		tracker:   newTracker(c),
		log:       set.Logger,
		telemetry: telemetry,
		version:   set.BuildInfo.Version,
		id:        set.ID,
		selfAttr:  attribute.String("processor", set.ID.String()),
		storage:   c.Storage,
	}
	p.persister = newPersister(p.tracker, set.Logger, p.stateFailed)
	return p, nil
}

// start restores the saved state, if a storage is configured.
func (p *leakDetect) start(ctx context.Context, host component.Host) error {
	p.initCounters(ctx)
	if p.storage == nil {
		return nil
	}
	return p.persister.start(ctx, host, *p.storage, p.id)
}

// initCounters initializes all counters to 0. The first event of a counter that does not exist yet
// is not an increase, so alerts would miss it.
func (p *leakDetect) initCounters(ctx context.Context) {
	self := metric.WithAttributes(p.selfAttr)
	p.telemetry.ProcessorLeakDetectFailedBatches.Add(ctx, 0, self)
	p.telemetry.ProcessorLeakDetectUnwatchedPoints.Add(ctx, 0, self)
	for _, why := range reasons {
		p.telemetry.ProcessorLeakDetectBadPoints.Add(ctx, 0, metric.WithAttributes(p.selfAttr, attribute.String("reason", string(why))))
	}
	if p.storage == nil {
		return
	}
	for _, operation := range state.Operations {
		p.telemetry.ProcessorLeakDetectStateErrors.Add(ctx, 0, metric.WithAttributes(p.selfAttr, attribute.String("operation", operation)))
	}
}

func (p *leakDetect) shutdown(ctx context.Context) error {
	p.tracker.flush()
	p.persister.shutdown(ctx)
	return nil
}

// unusedAfter is the time after which an override without a match is logged. By then every process
// of a fleet has sent data.
const unusedAfter = 10 * time.Minute

// warnUnusedSettings logs settings without effect, once each: overrides that have matched no
// resource, and expired ignore rules.
func (p *leakDetect) warnUnusedSettings() {
	now := time.Now()
	if now.Sub(p.tracker.started) >= unusedAfter {
		p.unusedOnce.Do(func() {
			for _, i := range p.tracker.ruleBook.unused() {
				p.log.Warn("An override has matched no resource so far", zap.String("setting", fmt.Sprintf("overrides[%d]", i)),
					zap.String("service", p.tracker.ruleBook.overrides[i].Service))
			}
		})
	}
	for _, i := range p.tracker.ignore.expired(now) {
		if _, logged := p.expired.LoadOrStore(i, true); !logged {
			rule := &p.tracker.ignore[i]
			p.log.Warn("An ignore rule has expired", zap.String("setting", fmt.Sprintf("ignore[%d]", i)),
				zap.String("until", rule.Until), zap.String("reason", rule.Reason))
		}
	}
}

// warnWrongData logs data that cannot be judged correctly: once if another leak_detect has judged
// it, and once per service with mixed-up processes.
func (p *leakDetect) warnWrongData(b *batch) {
	if len(b.alreadyFlagged) > 0 {
		p.twiceOnce.Do(func() {
			p.log.Warn("Leaks are judged twice: the data has already passed through another leak_detect. " +
				"Its leaks are not flagged again. Remove one of the two, from this pipeline or from the sending collector")
		})
	}
	for _, resource := range b.mixedUp {
		p.log.Warn("Several processes send under one identity, or one process is watched twice, so their leaks cannot be detected. "+
			"Give each process its own resource attribute service.instance.id, and watch it once",
			appendAttributes(nil, resource, loggedResourceAttributes...)...)
	}
}

func (p *leakDetect) stateFailed(ctx context.Context, operation string) {
	p.telemetry.ProcessorLeakDetectStateErrors.Add(ctx, 1,
		metric.WithAttributes(p.selfAttr, attribute.String("operation", operation)))
}

// process judges md and returns it with the findings added. It never fails: data is passed on even
// if judging panics.
func (p *leakDetect) process(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	b := p.judge(ctx, md)
	if b == nil {
		return md, nil
	}
	p.record(ctx, b)
	p.persister.log(logLines(md, b), b.saveSoon)
	p.warnUnusedSettings()
	p.warnWrongData(b)
	appendFindings(md, b, p.version)
	return md, nil
}

// judge judges md. It returns nil if judging panics: a defect must not stop the data.
func (p *leakDetect) judge(ctx context.Context, md pmetric.Metrics) (b *batch) {
	defer func() {
		if cause := recover(); cause != nil {
			b = nil
			p.fail(ctx, cause)
		}
	}()
	return p.tracker.judge(md)
}

// fail counts a failure. It logs the first, the second, the fourth and so on, since a defect may
// affect every batch.
func (p *leakDetect) fail(ctx context.Context, cause any) {
	p.telemetry.ProcessorLeakDetectFailedBatches.Add(ctx, 1, metric.WithAttributes(p.selfAttr))
	if n := p.failures.Add(1); n&(n-1) == 0 {
		p.log.Error("Panic while judging a batch, which is passed on unchanged; please report it",
			zap.String("cause", fmt.Sprint(cause)), zap.Uint64("failures", n), zap.Stack("stack"))
	}
}

// record records the telemetry of the processor.
func (p *leakDetect) record(ctx context.Context, b *batch) {
	p.telemetry.ProcessorLeakDetectStreams.Record(ctx, int64(b.streams), metric.WithAttributes(p.selfAttr))
	if b.unwatched > 0 {
		p.telemetry.ProcessorLeakDetectUnwatchedPoints.Add(ctx, b.unwatched, metric.WithAttributes(p.selfAttr))
	}
	for why, n := range b.bad {
		p.telemetry.ProcessorLeakDetectBadPoints.Add(ctx, n,
			metric.WithAttributes(p.selfAttr, attribute.String("reason", string(why))))
	}
}

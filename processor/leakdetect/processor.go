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

// leakDetect asks the watch about each batch, counts what came of it, and adds
// the findings.
type leakDetect struct {
	watch     *watch
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	version   string
	failures  atomic.Uint64
	unused    sync.Once // it was told which overrides match nothing
	twice     sync.Once // it was told that leaks are judged already
	over      sync.Map  // rules to ignore, by number, of which it was told that they are over

	id        component.ID
	self      attribute.KeyValue // tells its telemetry from that of other processors
	storage   *component.ID
	persister *persister
}

func newLeakDetect(c *Config, set processor.Settings) (*leakDetect, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &leakDetect{
		watch:     newWatch(c),
		log:       set.Logger,
		telemetry: telemetry,
		version:   set.BuildInfo.Version,
		id:        set.ID,
		self:      attribute.String("processor", set.ID.String()),
		storage:   c.Storage,
	}
	p.persister = newPersister(p.watch, set.Logger, p.stateFailed)
	return p, nil
}

// start restores the saved state, if a storage is configured.
func (p *leakDetect) start(ctx context.Context, host component.Host) error {
	p.beginCounters(ctx)
	if p.storage == nil {
		return nil
	}
	return p.persister.start(ctx, host, *p.storage, p.id)
}

// beginCounters has every counter of the collector's own telemetry begin at 0: one that begins
// with its first event has no increase then, and alerts miss it.
func (p *leakDetect) beginCounters(ctx context.Context) {
	self := metric.WithAttributes(p.self)
	p.telemetry.ProcessorLeakDetectFailedBatches.Add(ctx, 0, self)
	p.telemetry.ProcessorLeakDetectUnwatchedPoints.Add(ctx, 0, self)
	for _, why := range reasons {
		p.telemetry.ProcessorLeakDetectBadPoints.Add(ctx, 0, metric.WithAttributes(p.self, attribute.String("reason", string(why))))
	}
	if p.storage == nil {
		return
	}
	for _, operation := range state.Operations {
		p.telemetry.ProcessorLeakDetectStateErrors.Add(ctx, 0, metric.WithAttributes(p.self, attribute.String("operation", operation)))
	}
}

func (p *leakDetect) shutdown(ctx context.Context) error {
	p.watch.flush()
	p.persister.shutdown(ctx)
	return nil
}

// patience is for how long an override may match nothing before that is told: every
// process of a fleet has sent something by then.
const patience = 10 * time.Minute

// remind tells, once each, of settings that do nothing: overrides that matched no
// resource, and rules to ignore that are over.
func (p *leakDetect) remind() {
	now := time.Now()
	if now.Sub(p.watch.began) >= patience {
		p.unused.Do(func() {
			for _, i := range p.watch.rules.unused() {
				p.log.Warn("An override has matched no resource so far", zap.String("setting", fmt.Sprintf("overrides[%d]", i)),
					zap.String("service", p.watch.rules.overrides[i].Service))
			}
		})
	}
	for _, i := range p.watch.ignore.over(now) {
		if _, told := p.over.LoadOrStore(i, true); !told {
			rule := &p.watch.ignore[i]
			p.log.Warn("Leaks are not ignored any more", zap.String("setting", fmt.Sprintf("ignore[%d]", i)),
				zap.String("until", rule.Until), zap.String("reason", rule.Reason))
		}
	}
}

// warn tells, once each, of data that cannot be judged rightly.
func (p *leakDetect) warn(b *batch) {
	if len(b.taken) > 0 {
		p.twice.Do(func() {
			p.log.Warn("Leaks are judged twice: the data has passed through another leak_detect before. " +
				"What that has flagged is not flagged again; remove one of the two, of this pipeline or of the collector that sends the data")
		})
	}
	for _, resource := range b.mixed {
		p.log.Warn("Several processes send under one identity, or one process is watched twice, and leaks in them cannot be told: "+
			"give each process a resource attribute service.instance.id of its own, and watch it once",
			appendAttributes(nil, resource, loggedOfResource...)...)
	}
}

func (p *leakDetect) stateFailed(ctx context.Context, operation string) {
	p.telemetry.ProcessorLeakDetectStateErrors.Add(ctx, 1,
		metric.WithAttributes(p.self, attribute.String("operation", operation)))
}

// process judges md and returns it with what was found. It never fails: data is
// passed on whatever happens to us.
func (p *leakDetect) process(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	b := p.judge(ctx, md)
	if b == nil {
		return md, nil
	}
	p.record(ctx, b)
	p.persister.tell(announcements(md, b), b.due)
	p.remind()
	p.warn(b)
	write(md, b, p.version)
	return md, nil
}

// judge asks the watch, and returns nil if that failed. A panic in there is a defect of ours, which must not stop
// the data of others.
func (p *leakDetect) judge(ctx context.Context, md pmetric.Metrics) (b *batch) {
	defer func() {
		if cause := recover(); cause != nil {
			b = nil
			p.fail(ctx, cause)
		}
	}()
	return p.watch.judge(md)
}

// fail counts a failure, and logs the first, the second, the fourth and so on: a
// defect that meets every batch must not fill the log.
func (p *leakDetect) fail(ctx context.Context, cause any) {
	p.telemetry.ProcessorLeakDetectFailedBatches.Add(ctx, 1, metric.WithAttributes(p.self))
	if n := p.failures.Add(1); n&(n-1) == 0 {
		p.log.Error("A batch could not be judged and was passed on as it came; please report this defect",
			zap.String("cause", fmt.Sprint(cause)), zap.Uint64("failures", n), zap.Stack("stack"))
	}
}

// record counts for the collector's own telemetry.
func (p *leakDetect) record(ctx context.Context, b *batch) {
	p.telemetry.ProcessorLeakDetectStreams.Record(ctx, int64(b.streams), metric.WithAttributes(p.self))
	if b.unwatched > 0 {
		p.telemetry.ProcessorLeakDetectUnwatchedPoints.Add(ctx, b.unwatched, metric.WithAttributes(p.self))
	}
	for why, n := range b.bad {
		p.telemetry.ProcessorLeakDetectBadPoints.Add(ctx, n,
			metric.WithAttributes(p.self, attribute.String("reason", string(why))))
	}
}

package leakdetect

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
)

// persister saves the complete state of a tracker, in one storage transaction: once a minute, soon
// after the first batch and after each batch in which a verdict has changed, and at shutdown.
type persister struct {
	tracker *tracker
	store   *state.Store
	queue   logQueue
	// due receives a value if the state must be saved soon.
	due chan struct{}

	cancel context.CancelFunc // nil if not started
	done   sync.WaitGroup
	saved  uint64        // number of batches in the latest saved state
	tried  time.Time     // time of the last attempt to save
	rest   time.Duration // from then until the next attempt
}

const (
	// saveInterval is the data that a crash can lose, if maxRate permits saving that often.
	saveInterval = time.Minute
	// minRest is the minimum time between two saves, and maxRate the maximum number of bytes
	// saved per second. minRest applies up to 30,000 streams; with 100,000 the time is 17 s,
	// from 360,000 on it is longer than a minute, and with 1,000,000 it is three minutes.
	minRest = 5 * time.Second
	maxRate = 2 << 20
)

func newPersister(tracker *tracker, log *zap.Logger, failed func(ctx context.Context, operation string)) *persister {
	return &persister{
		tracker: tracker,
		store:   state.NewStore(log, failed),
		queue:   logQueue{logger: log},
		due:     make(chan struct{}, 1),
	}
}

// start opens the storage, restores the tracker and starts saving. It returns an error only if the
// host has no such storage.
func (p *persister) start(ctx context.Context, host component.Host, storageID, self component.ID) error {
	if err := p.store.Open(ctx, host, storageID, component.KindProcessor, self, p.tracker.restore); err != nil || !p.store.IsOpen() {
		return err
	}
	runCtx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.queue.hold(true)
	p.done.Go(func() { p.run(runCtx) })
	return nil
}

// run saves the state when due, until ctx is done.
func (p *persister) run(ctx context.Context) {
	timer := time.NewTimer(saveInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.due:
			// Never later than before.
			timer.Reset(p.rest - time.Since(p.tried))
		case <-timer.C:
			p.save(ctx)
			timer.Reset(max(saveInterval, p.rest))
		}
	}
}

// log logs lines when the state that they report is saved, which is soon if saveSoon is set.
func (p *persister) log(lines []logLine, saveSoon bool) {
	p.queue.log(lines)
	if !saveSoon {
		return
	}
	select {
	case p.due <- struct{}{}:
	default: // already due
	}
}

// shutdown saves the state and closes the storage. It is idempotent and safe before start.
func (p *persister) shutdown(ctx context.Context) {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.done.Wait()
	p.cancel = nil
	p.queue.hold(false)
	p.save(ctx)
	p.store.Close(ctx)
}

// save saves the state if it has changed, and logs the queued lines, even if saving failed.
func (p *persister) save(ctx context.Context) {
	lines := p.queue.drain()
	if judged := p.tracker.judged(); judged != p.saved && p.store.IsOpen() {
		size, saved := p.store.Save(ctx, p.tracker.encodeState)
		if saved {
			p.saved = judged
		}
		p.tried, p.rest = time.Now(), restAfter(size)
	}
	p.queue.write(lines)
}

// restAfter returns the time until the next save after a state of size bytes was saved.
func restAfter(size int) time.Duration {
	return max(minRest, time.Duration(size)*time.Second/maxRate)
}

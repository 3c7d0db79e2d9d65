package leakdetect

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
)

// persister saves the state of a watch as a whole, in one transaction of the storage: once a
// minute, soon after the first batch and after each batch in which a verdict changed, and at
// shutdown.
type persister struct {
	watch *watch
	store *state.Store
	news  news
	// due has an element when the state is to be saved soon.
	due chan struct{}

	cancel context.CancelFunc // nil unless run is running
	done   sync.WaitGroup
	saved  uint64        // number of batches in the state that was saved last
	tried  time.Time     // time of the last attempt to save
	rest   time.Duration // from then until the next attempt
}

const (
	// saveInterval is the evidence that a crash can cost, as long as maxRate permits saving
	// that often.
	saveInterval = time.Minute
	// minRest and maxRate bound how often the state is saved when it is due: no sooner than
	// minRest after the last time, and no more than maxRate bytes per second. minRest holds
	// up to 30,000 streams; 100,000 wait for 17 s; from 360,000 on the state is saved less
	// often than once a minute, with 1,000,000 every three minutes.
	minRest = 5 * time.Second
	maxRate = 2 << 20
)

func newPersister(w *watch, log *zap.Logger, failed func(ctx context.Context, operation string)) *persister {
	return &persister{
		watch: w,
		store: state.NewStore(log, failed),
		news:  news{log: log},
		due:   make(chan struct{}, 1),
	}
}

// start opens the storage, restores the watch and starts saving. It returns an error only if the
// host has no such storage.
func (p *persister) start(ctx context.Context, host component.Host, storageID, self component.ID) error {
	if err := p.store.Open(ctx, host, storageID, component.KindProcessor, self, p.watch.restore); err != nil || !p.store.IsOpen() {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.news.keep(true)
	p.done.Go(func() { p.run(running) })
	return nil
}

// run saves the state when it is due until ctx ends.
func (p *persister) run(ctx context.Context) {
	timer := time.NewTimer(saveInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.due:
			// It is never later than the timer would be without.
			timer.Reset(p.rest - time.Since(p.tried))
		case <-timer.C:
			p.save(ctx)
			timer.Reset(max(saveInterval, p.rest))
		}
	}
}

// tell logs lines as soon as the state that they announce is saved, which is soon if due.
func (p *persister) tell(lines []line, due bool) {
	p.news.tell(lines)
	if !due {
		return
	}
	select {
	case p.due <- struct{}{}:
	default: // it is due already
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
	p.news.keep(false)
	p.save(ctx)
	p.store.Close(ctx)
}

// save saves the state if it has changed, and logs the lines that waited for it, even if it could
// not be saved.
func (p *persister) save(ctx context.Context) {
	lines := p.news.take()
	if judged := p.watch.judged(); judged != p.saved && p.store.IsOpen() {
		size, saved := p.store.Save(ctx, p.watch.encodeState)
		if saved {
			p.saved = judged
		}
		p.tried, p.rest = time.Now(), restAfter(size)
	}
	p.news.print(lines)
}

// restAfter returns the time until the next save after a state of size bytes was saved.
func restAfter(size int) time.Duration {
	return max(minRest, time.Duration(size)*time.Second/maxRate)
}

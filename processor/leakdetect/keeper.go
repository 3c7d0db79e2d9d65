package leakdetect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// keeper keeps the state of a watch in a storage extension: it is written as a
// whole, in one transaction of the storage: once a minute, soon after the first batch
// and after each in which a verdict changed, and at the end.
type keeper struct {
	watch  *watch
	log    *zap.Logger
	failed func(ctx context.Context, operation string)
	news   news
	// due has an element when the state is to be saved soon.
	due chan struct{}

	client  storage.Client // nil if there is none to be had
	cancel  context.CancelFunc
	done    sync.WaitGroup
	trouble string        // that was logged last
	saved   uint64        // batches that are in what was saved last
	tried   time.Time     // when it was tried to save last
	rest    time.Duration // from then until it may be tried again
}

const (
	// stateKey is where the state is, and asideKey where one goes that cannot be
	// used, for somebody to look at.
	stateKey = "state"
	asideKey = "state.set_aside"
	// saveInterval is how much of the evidence a crash can cost, as long as maxRate lets
	// all be saved so often.
	saveInterval = time.Minute
	// minRest and maxRate bound how often the state is saved when it is due: no
	// sooner after the last time, and no more bytes a second. Up to 30,000
	// streams the first bound holds, 100,000 wait for 17 s; and from 360,000 on it
	// is more rarely than once a minute, of 1,000,000 every three.
	minRest = 5 * time.Second
	maxRate = 2 << 20
)

// The operations that can fail.
const (
	operationOpen  = "open"
	operationLoad  = "load"
	operationSave  = "save"
	operationClose = "close"
)

var operations = [...]string{operationOpen, operationLoad, operationSave, operationClose}

func newKeeper(w *watch, log *zap.Logger, failed func(ctx context.Context, operation string)) *keeper {
	return &keeper{
		watch:  w,
		log:    log,
		failed: failed,
		news:   news{log: log},
		due:    make(chan struct{}, 1),
	}
}

// start opens the storage, remembers what is in it and begins to keep. A storage that
// is not there is a mistake of the configuration; one that cannot be used costs the
// memory, and no data.
func (k *keeper) start(ctx context.Context, host component.Host, storageID, self component.ID) error {
	provider, err := storageOf(host, storageID)
	if err != nil {
		return err
	}
	if k.note(ctx, operationOpen, k.open(ctx, provider, self)); k.client == nil {
		return nil
	}
	if k.load(ctx); k.client == nil {
		return nil
	}
	running, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.news.keep(true)
	k.done.Go(func() { k.run(running) })
	return nil
}

// open opens the storage.
func (k *keeper) open(ctx context.Context, provider storage.Extension, self component.ID) error {
	return guard(func() error {
		client, err := provider.GetClient(ctx, component.KindProcessor, self, "")
		if err == nil {
			k.client = client
		}
		return err
	})
}

// run saves again and again until ctx ends.
func (k *keeper) run(ctx context.Context) {
	timer := time.NewTimer(saveInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.due:
			// It is never later than the timer would be without.
			timer.Reset(k.rest - time.Since(k.tried))
		case <-timer.C:
			k.save(ctx)
			timer.Reset(max(saveInterval, k.rest))
		}
	}
}

// tell has lines logged as soon as what they tell of is kept. If it is due that is soon.
func (k *keeper) tell(lines []line, due bool) {
	k.news.tell(lines)
	if !due {
		return
	}
	select {
	case k.due <- struct{}{}:
	default: // it is due already
	}
}

// shutdown saves for the last time and closes the storage. It may be called without
// start.
func (k *keeper) shutdown(ctx context.Context) {
	if k.cancel == nil {
		return
	}
	k.cancel()
	k.done.Wait()
	k.cancel = nil
	k.news.keep(false)
	k.save(ctx)
	k.note(ctx, operationClose, k.close(ctx))
}

// close ends the use of the storage, if it is used.
func (k *keeper) close(ctx context.Context) error {
	if k.client == nil {
		return nil
	}
	client := k.client
	k.client = nil
	return guard(func() error { return client.Close(ctx) })
}

// use calls do with the storage. A storage that panicked is not used again, not even
// to be closed: it may hold its own locks for ever.
func (k *keeper) use(do func(storage.Client) error) error {
	err := guard(func() error { return do(k.client) })
	if errors.Is(err, errPanicked) {
		k.client = nil
		return fmt.Errorf("the storage is not used any more before a restart: %w", err)
	}
	return err
}

// load remembers what was kept. What cannot be used is set aside.
func (k *keeper) load(ctx context.Context) {
	var state []byte
	err := k.use(func(client storage.Client) (err error) {
		state, err = client.Get(ctx, stateKey)
		return err
	})
	if err != nil {
		// What it holds may be whole, and must not be written over.
		k.note(ctx, operationLoad, errors.Join(err, k.close(ctx)))
		return
	}
	if state == nil {
		k.log.Info("Begins with nothing remembered")
		return
	}
	err = guard(func() error { return k.watch.restore(state) })
	if err == nil {
		k.log.Info("Goes on from what was remembered", zap.Int("streams", k.watch.size()))
		return
	}
	k.note(ctx, operationLoad, fmt.Errorf("what was remembered cannot be used and is set aside: %w", err))
	if err := k.use(func(client storage.Client) error {
		return client.Batch(ctx, storage.SetOperation(asideKey, state), storage.DeleteOperation(stateKey))
	}); err != nil {
		k.note(ctx, operationSave, err)
	}
}

// save keeps what is remembered, if anything new is, and then logs what waited for that.
// If it cannot be kept nothing waits any longer.
func (k *keeper) save(ctx context.Context) {
	lines := k.news.take()
	if judged := k.watch.judged(); judged != k.saved && k.client != nil {
		err := k.write(ctx)
		if err == nil {
			k.saved = judged
		}
		k.note(ctx, operationSave, err)
	}
	k.news.print(lines)
}

func (k *keeper) write(ctx context.Context) error {
	var state []byte
	err := guard(func() (err error) {
		state, err = k.watch.encodeState()
		return err
	})
	if err == nil {
		err = k.use(func(client storage.Client) error { return client.Set(ctx, stateKey, state) })
	}
	k.tried, k.rest = time.Now(), restAfter(len(state))
	return err
}

// restAfter returns for how long the state is not saved again after size bytes were.
func restAfter(size int) time.Duration {
	return max(minRest, time.Duration(size)*time.Second/maxRate)
}

// note counts what goes wrong, and logs it once for as long as it stays the same.
func (k *keeper) note(ctx context.Context, operation string, err error) {
	if err == nil {
		if k.trouble != "" {
			k.log.Info("What is remembered can be kept again")
		}
		k.trouble = ""
		return
	}
	k.failed(ctx, operation)
	if text := err.Error(); text != k.trouble {
		k.trouble = text
		k.log.Warn("What is remembered could not be kept over a restart", zap.String("operation", operation), zap.Error(err))
	}
}

package leakdetect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// keeper keeps the state of a watch in a storage extension: it is written as a
// whole, in one transaction of the storage, once a minute and at the end.
type keeper struct {
	watch  *watch
	log    *zap.Logger
	failed func(ctx context.Context, operation string)

	client  storage.Client // nil if there is none to be had
	cancel  context.CancelFunc
	done    sync.WaitGroup
	trouble string // that was logged last
	saved   int64  // the clock of what was saved last
}

const (
	// stateKey is where the state is, and asideKey where one goes that cannot be
	// used, for somebody to look at.
	stateKey = "state"
	asideKey = "state.set_aside"
	// saveInterval is how much of the memory a crash can cost.
	saveInterval = time.Minute
)

// The operations that can fail.
const (
	operationOpen = "open"
	operationLoad = "load"
	operationSave = "save"
)

// start opens the storage, remembers what is in it and begins to keep. A storage that
// is not there is a mistake of the configuration; one that cannot be used costs the
// memory, and no data.
func (k *keeper) start(ctx context.Context, host component.Host, storageID, self component.ID) error {
	extension, ok := host.GetExtensions()[storageID]
	if !ok {
		return fmt.Errorf("'storage': there is no extension %q", storageID)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return fmt.Errorf("'storage': extension %q is no storage", storageID)
	}
	err := guard(func() (err error) {
		k.client, err = provider.GetClient(ctx, component.KindProcessor, self, "")
		return err
	})
	if err != nil {
		k.client = nil
		k.note(ctx, operationOpen, err)
		return nil
	}
	k.load(ctx)
	running, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.done.Go(func() { k.run(running) })
	return nil
}

// run saves again and again until ctx ends.
func (k *keeper) run(ctx context.Context) {
	ticker := time.NewTicker(saveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			k.save(ctx)
		}
	}
}

// shutdown saves for the last time and closes the storage. It may be called without
// start.
func (k *keeper) shutdown(ctx context.Context) error {
	if k.client == nil {
		return nil
	}
	k.cancel()
	k.done.Wait()
	k.save(ctx)
	client := k.client
	k.client = nil
	return guard(func() error { return client.Close(ctx) })
}

// load remembers what was kept. What cannot be used is set aside.
func (k *keeper) load(ctx context.Context) {
	var state []byte
	err := guard(func() (err error) {
		state, err = k.client.Get(ctx, stateKey)
		return err
	})
	if err != nil {
		k.note(ctx, operationLoad, err)
		return
	}
	if state == nil {
		return
	}
	err = guard(func() error { return k.watch.restore(state) })
	if err == nil {
		k.log.Info("Goes on from what was remembered", zap.Int("streams", k.watch.size()))
		return
	}
	k.note(ctx, operationLoad, fmt.Errorf("what was remembered cannot be used and is set aside: %w", err))
	if err := guard(func() error {
		return k.client.Batch(ctx, storage.SetOperation(asideKey, state), storage.DeleteOperation(stateKey))
	}); err != nil {
		k.note(ctx, operationSave, err)
	}
}

// save keeps what is remembered, if anything new is.
func (k *keeper) save(ctx context.Context) {
	clock := k.watch.now()
	if clock == k.saved {
		return
	}
	err := guard(func() error {
		state, err := k.watch.encodeState()
		if err != nil {
			return err
		}
		return k.client.Set(ctx, stateKey, state)
	})
	if err == nil {
		k.saved = clock
	}
	k.note(ctx, operationSave, err)
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

// guard makes an error of a panic: a storage is a database that may be damaged.
func guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return f()
}

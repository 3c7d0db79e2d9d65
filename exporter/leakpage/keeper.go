package leakpage

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// keeper keeps what is remembered in a storage extension. Without one it keeps nothing.
type keeper struct {
	client storage.Client // nil if there is none
}

// stateKey is where the state is, and asideKey where one goes that cannot be used, for
// somebody to look at.
const (
	stateKey = "state"
	asideKey = "state.set_aside"
)

// The operations that can fail.
const (
	operationOpen  = "open"
	operationLoad  = "load"
	operationSave  = "save"
	operationClose = "close"
)

// storageOf returns the storage of a configuration. A host knows the extensions that are
// started; that one is not is a mistake of the configuration.
func storageOf(host component.Host, id component.ID) (storage.Extension, error) {
	extension, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("'storage': extension %q is not started: add it to service::extensions, "+
			"and define it under extensions if it is not there yet", id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("'storage': extension %q is no storage, such as atomic_file_storage is", id)
	}
	return provider, nil
}

// open opens the storage.
func (k *keeper) open(ctx context.Context, provider storage.Extension, self component.ID) error {
	return k.guard(func() (err error) {
		k.client, err = provider.GetClient(ctx, component.KindExporter, self, "")
		return err
	})
}

// guard makes an error of a panic, and of a fault in mapped memory: a storage may be a database,
// and its file damaged. One that panicked is not used again, not even to be closed: it may hold
// its own locks for ever.
func (k *keeper) guard(use func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			k.client = nil
			err = fmt.Errorf("the storage is not used any more before a restart: panic: %v", cause)
		}
	}()
	return use()
}

// errUnusable is that of a state of another version, or of none.
var errUnusable = errors.New("what was remembered cannot be used and is set aside")

// load makes a memory go on from what was kept. A state that cannot be used is set aside. A
// storage that cannot be read is not used any more: what it holds may be whole, and must not
// be written over.
func (k *keeper) load(ctx context.Context, memory *page.Memory) error {
	if k.client == nil {
		return nil
	}
	var data []byte
	if err := k.guard(func() (err error) {
		data, err = k.client.Get(ctx, stateKey)
		return err
	}); err != nil {
		return errors.Join(err, k.close(ctx))
	}
	if data == nil {
		return nil
	}
	err := memory.UnmarshalBinary(data)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", errUnusable, err)
	return errors.Join(err, k.guard(func() error {
		return k.client.Batch(ctx, storage.SetOperation(asideKey, data), storage.DeleteOperation(stateKey))
	}))
}

// save keeps the state as a whole, in one transaction of the storage, and returns its size.
func (k *keeper) save(ctx context.Context, memory *page.Memory) (int, error) {
	data, err := memory.MarshalBinary()
	if err != nil {
		return 0, err
	}
	return len(data), k.guard(func() error { return k.client.Set(ctx, stateKey, data) })
}

// close ends the use of the storage, if it is used.
func (k *keeper) close(ctx context.Context) error {
	if k.client == nil {
		return nil
	}
	client := k.client
	k.client = nil
	return k.guard(func() error { return client.Close(ctx) })
}

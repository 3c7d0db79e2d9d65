package leakevents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// keeper saves the state in a storage extension. Without one it does nothing.
type keeper struct {
	client storage.Client // nil if there is none
}

// stateKey is the key of the state. A state that cannot be read is moved to asideKey, so that it can be
// examined.
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

// state is the saved state: the Book, and the events that wait.
type state struct {
	Book    json.RawMessage `json:"book"`
	Waiting []byte          `json:"waiting,omitempty"` // OTLP
}

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
		k.client, err = provider.GetClient(ctx, component.KindConnector, self, "")
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

// load returns the events that wait, and has the book go on from what was kept. A state that
// cannot be used is set aside. A storage that cannot be read is not used any more: what it
// holds may be whole, and must not be written over.
func (k *keeper) load(ctx context.Context, book *finding.Book) (plog.Logs, error) {
	waiting := plog.NewLogs()
	if k.client == nil {
		return waiting, nil
	}
	var data []byte
	if err := k.guard(func() (err error) {
		data, err = k.client.Get(ctx, stateKey)
		return err
	}); err != nil {
		return waiting, errors.Join(err, k.close(ctx))
	}
	if data == nil {
		return waiting, nil
	}
	waiting, err := decode(data, book)
	if err == nil {
		return waiting, nil
	}
	err = fmt.Errorf("%w: %w", errUnusable, err)
	return plog.NewLogs(), errors.Join(err, k.guard(func() error {
		return k.client.Batch(ctx, storage.SetOperation(asideKey, data), storage.DeleteOperation(stateKey))
	}))
}

func decode(data []byte, book *finding.Book) (plog.Logs, error) {
	waiting := plog.NewLogs()
	var kept state
	if err := json.Unmarshal(data, &kept); err != nil {
		return waiting, err
	}
	if len(kept.Waiting) > 0 {
		var err error
		if waiting, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs(kept.Waiting); err != nil {
			return plog.NewLogs(), err
		}
	}
	return waiting, book.UnmarshalBinary(kept.Book)
}

func encode(book *finding.Book, waiting plog.Logs) ([]byte, error) {
	leaks, err := book.MarshalBinary()
	if err != nil {
		return nil, err
	}
	kept := state{Book: leaks}
	if waiting.ResourceLogs().Len() > 0 {
		if kept.Waiting, err = (&plog.ProtoMarshaler{}).MarshalLogs(waiting); err != nil {
			return nil, err
		}
	}
	return json.Marshal(kept)
}

// save keeps the state as a whole, in one transaction of the storage.
func (k *keeper) save(ctx context.Context, book *finding.Book, waiting plog.Logs) error {
	if k.client == nil {
		return nil
	}
	data, err := encode(book, waiting)
	if err != nil {
		return err
	}
	return k.guard(func() error { return k.client.Set(ctx, stateKey, data) })
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

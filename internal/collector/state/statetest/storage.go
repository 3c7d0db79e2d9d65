// Package statetest has a storage extension for tests of components that save their state.
package statetest

import (
	"context"
	"errors"
	"maps"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
)

// Storage is a storage extension in memory, and its own only client. It outlives the components
// that use it. It is safe for concurrent use.
type Storage struct {
	component.StartFunc
	component.ShutdownFunc

	// Fail is called before each operation, named as in package state. If it returns an error, so
	// does the operation. It may panic. If nil, all operations succeed.
	Fail func(operation string) error

	mu     sync.Mutex
	data   map[string][]byte
	open   int
	writes int
}

// New returns a Storage with data.
func New(data map[string][]byte) *Storage {
	s := &Storage{data: make(map[string][]byte)}
	maps.Copy(s.data, data)
	return s
}

// Failing returns a Storage whose operation returns an error, or panics with it.
func Failing(operation string, panics bool) *Storage {
	s := New(nil)
	s.Fail = func(attempted string) error {
		if attempted != operation {
			return nil
		}
		err := errors.New("no space left on device")
		if panics {
			panic(err)
		}
		return err
	}
	return s
}

// Data returns a copy of the stored data.
func (s *Storage) Data() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.data)
}

// Writes returns the number of successful calls of Set and Batch.
func (s *Storage) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Clients returns the number of clients that are not closed.
func (s *Storage) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *Storage) try(ctx context.Context, operation string) error {
	if err := ctx.Err(); err != nil || s.Fail == nil {
		return err
	}
	return s.Fail(operation)
}

// GetClient returns s.
func (s *Storage) GetClient(ctx context.Context, _ component.Kind, _ component.ID, _ string) (storage.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.try(ctx, state.OperationOpen); err != nil {
		return nil, err
	}
	s.open++
	return s, nil
}

// Get returns the value of key, nil if there is none.
func (s *Storage) Get(ctx context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data[key], s.try(ctx, state.OperationLoad)
}

// Set sets the value of key.
func (s *Storage) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

// Delete deletes key.
func (s *Storage) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

// Batch executes operations, which must not be of type storage.Get.
func (s *Storage) Batch(ctx context.Context, operations ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.try(ctx, state.OperationSave); err != nil {
		return err
	}
	for _, o := range operations {
		if o.Type == storage.Delete {
			delete(s.data, o.Key)
		} else {
			s.data[o.Key] = o.Value
		}
	}
	s.writes++
	return nil
}

// Close closes the client.
func (s *Storage) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.try(ctx, state.OperationClose); err != nil {
		return err
	}
	s.open--
	return nil
}

// Host is a component.Host with extensions.
type Host map[component.ID]component.Component

// ID is the ID of the Storage in a host of NewHost.
var ID = component.MustNewID("file_storage")

// NewHost returns a Host with a Storage, and with an extension zpages, which is not a storage.
func NewHost(s *Storage) Host {
	return Host{ID: s, component.MustNewID("zpages"): struct{ component.Component }{}}
}

// GetExtensions returns the extensions.
func (h Host) GetExtensions() map[component.ID]component.Component { return h }

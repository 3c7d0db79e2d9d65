package state

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/guard"
)

// The keys in the storage. A state that cannot be restored is moved to AsideKey, so that it can
// be examined.
const (
	Key      = "state"
	AsideKey = "state.set_aside"
)

// The operations that can fail, as counted by the components.
const (
	OperationOpen  = "open"
	OperationLoad  = "load"
	OperationSave  = "save"
	OperationClose = "close"
)

// Operations lists the operations that can fail.
var Operations = [...]string{OperationOpen, OperationLoad, OperationSave, OperationClose}

// Store saves the state of one component under one key of a storage extension. An error of the
// storage never stops the component: Store counts it, logs it unless the last one had the same
// text, and continues, if necessary without the storage. It is not safe for concurrent use.
type Store struct {
	log     *zap.Logger
	failed  func(ctx context.Context, operation string)
	client  storage.Client // nil if no storage is in use
	lastErr string         // last error that was logged, empty after a success
}

// NewStore returns a Store that is not open. It calls failed for each operation that fails.
func NewStore(log *zap.Logger, failed func(ctx context.Context, operation string)) *Store {
	return &Store{log: log, failed: failed}
}

// Open opens the storage extension with an ID for the component self, and passes the saved state
// to restore, if there is one. If restore returns an error, the state is set aside. Open returns an
// error only if the host has no such storage extension.
func (s *Store) Open(ctx context.Context, host component.Host, id component.ID, kind component.Kind, self component.ID, restore func(data []byte) error) error {
	provider, err := storageOf(host, id)
	if err != nil {
		return err
	}
	if err := guard.CallMapped(func() error {
		client, err := provider.GetClient(ctx, kind, self, "")
		if err == nil {
			s.client = client
		}
		return err
	}); err != nil {
		s.note(ctx, OperationOpen, err)
		return nil
	}
	s.load(ctx, restore)
	return nil
}

// IsOpen reports whether a storage is used.
func (s *Store) IsOpen() bool { return s.client != nil }

// load restores the saved state. A storage that cannot be read is no longer used, since the state in
// it may be intact and must not be overwritten.
func (s *Store) load(ctx context.Context, restore func(data []byte) error) {
	var data []byte
	err := s.use(func(client storage.Client) (err error) {
		data, err = client.Get(ctx, Key)
		return err
	})
	if err != nil {
		s.note(ctx, OperationLoad, errors.Join(err, s.close(ctx)))
		return
	}
	if data == nil {
		s.log.Info("Starting without saved state")
		return
	}
	err = guard.CallMapped(func() error { return restore(data) })
	if err == nil {
		s.log.Info("Restored the saved state", zap.Int("bytes", len(data)))
		return
	}
	s.note(ctx, OperationLoad, fmt.Errorf("the saved state cannot be used and is set aside as %q: %w", AsideKey, err))
	if err := s.use(func(client storage.Client) error {
		return client.Batch(ctx, storage.SetOperation(AsideKey, data), storage.DeleteOperation(Key))
	}); err != nil {
		s.note(ctx, OperationSave, err)
	}
}

// Save writes the state that encode returns, as a whole. It returns the size of the state in
// bytes, and whether it was saved. Without a storage Save does nothing.
func (s *Store) Save(ctx context.Context, encode func() ([]byte, error)) (size int, saved bool) {
	if s.client == nil {
		return 0, false
	}
	var data []byte
	err := guard.CallMapped(func() (err error) {
		data, err = encode()
		return err
	})
	if err == nil {
		err = s.use(func(client storage.Client) error { return client.Set(ctx, Key, data) })
	}
	s.note(ctx, OperationSave, err)
	return len(data), err == nil
}

// Close closes the storage. It is idempotent and safe before Open.
func (s *Store) Close(ctx context.Context) {
	if err := s.close(ctx); err != nil {
		s.note(ctx, OperationClose, err)
	}
}

func (s *Store) close(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	client := s.client
	s.client = nil
	return guard.CallMapped(func() error { return client.Close(ctx) })
}

// use calls f with the client. A storage that panicked is not used again, and not closed: it may
// still hold its own locks.
func (s *Store) use(f func(storage.Client) error) error {
	err := guard.CallMapped(func() error { return f(s.client) })
	if errors.As(err, new(*guard.Panic)) {
		s.client = nil
		return fmt.Errorf("the storage is not used before the next start: %w", err)
	}
	return err
}

// note counts and logs an error. It logs when the storage works again.
func (s *Store) note(ctx context.Context, operation string, err error) {
	if err == nil {
		if s.lastErr != "" {
			s.log.Info("The state can be saved again")
		}
		s.lastErr = ""
		return
	}
	s.failed(ctx, operation)
	if text := err.Error(); text != s.lastErr {
		s.lastErr = text
		s.log.Warn("The state is not saved over a restart", zap.String("operation", operation), zap.Error(err))
	}
}

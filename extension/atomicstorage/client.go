package atomicstorage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/gofrs/flock"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// client is the storage of one component, in one file. It keeps the positions of the values in
// memory, and reads values on demand. It is safe for concurrent use.
type client struct {
	storage *atomicStorage
	path    string
	lock    *flock.Flock
	release func()

	mu     sync.Mutex
	index  map[string]span
	closed bool
}

var (
	_ storage.Client = (*client)(nil)
	_ storage.Walker = (*client)(nil)
)

var (
	errClosed    = errors.New("the client is closed")
	errRemoved   = errors.New("the file was removed while in use")
	errOperation = errors.New("unknown operation")
)

// load indexes the file, if it exists. A damaged file is set aside.
func (c *client) load(ctx context.Context) error {
	index, err := c.scan()
	switch {
	case errors.Is(err, os.ErrNotExist):
	case errors.Is(err, errDamaged), errors.Is(err, errVersion):
		if err := c.storage.setAside(ctx, c.path, err); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if c.index = index; index == nil {
		c.index = make(map[string]span)
	}
	return nil
}

func (c *client) scan() (index map[string]span, err error) {
	file, err := os.Open(c.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return scan(file, info.Size())
}

// Get returns the value of a key, or nil.
func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	operation := storage.GetOperation(key)
	err := c.Batch(ctx, operation)
	return operation.Value, err
}

// Set stores a value.
func (c *client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete removes the value of a key, if there is one.
func (c *client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch applies the operations in order and atomically. If it returns nil, the values are synced to
// disk. If the disk is full, the error wraps storage.ErrStorageFull.
func (c *client) Batch(ctx context.Context, operations ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	return c.applyOperations(ctx, operations)
}

// Walk calls fn with each key and value. The operations that fn returns are applied together at
// the end.
func (c *client) Walk(ctx context.Context, fn storage.WalkFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	operations, err := c.collect(ctx, fn)
	if err != nil {
		return err
	}
	return c.applyOperations(ctx, operations)
}

func (c *client) collect(ctx context.Context, fn storage.WalkFunc) (operations []*storage.Operation, err error) {
	for _, key := range slices.Sorted(maps.Keys(c.index)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		value, err := c.readStored(ctx, key)
		if err != nil {
			return nil, err
		}
		more, err := fn(key, value)
		if err != nil && !errors.Is(err, storage.SkipAll) {
			return nil, err
		}
		operations = append(operations, more...)
		if err != nil {
			break
		}
	}
	return operations, nil
}

// readStored returns the value of a key in the file, or nil.
func (c *client) readStored(ctx context.Context, key string) (value []byte, err error) {
	place, ok := c.index[key]
	if !ok {
		return nil, nil
	}
	file, err := os.Open(c.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fmt.Errorf("%w: %w", errRemoved, err)
	case err == nil:
		value, err = place.read(file)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		c.storage.failed(ctx, operationRead)
		return nil, fmt.Errorf("read %q: %w", key, err)
	}
	return value, nil
}

// changes are the new values of keys; nil if a key is deleted.
type changes map[string][]byte

// applyOperations applies operations. mu must be held.
func (c *client) applyOperations(ctx context.Context, operations []*storage.Operation) error {
	changed := make(changes)
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			value, ok := changed[o.Key]
			if !ok {
				var err error
				if value, err = c.readStored(ctx, o.Key); err != nil {
					return err
				}
			}
			o.Value = bytes.Clone(value)
		case storage.Set:
			changed[o.Key] = append([]byte{}, o.Value...) // not nil if empty
		case storage.Delete:
			changed[o.Key] = nil
		default:
			return fmt.Errorf("%w: %d", errOperation, o.Type)
		}
	}
	return c.write(ctx, changed)
}

// write rewrites the file if anything changes. If the file was damaged or removed since it was
// opened, the other values are lost, but the changes are stored.
func (c *client) write(ctx context.Context, changed changes) error {
	maps.DeleteFunc(changed, func(key string, value []byte) bool {
		_, stored := c.index[key]
		return value == nil && !stored
	})
	if len(changed) == 0 {
		return nil
	}
	err := c.replace(ctx, changed)
	if errors.Is(err, errDamaged) || errors.Is(err, errRemoved) {
		if err := c.reset(ctx, err); err != nil {
			return err
		}
		err = c.replace(ctx, changed)
	}
	if err != nil {
		c.storage.failed(ctx, operationWrite)
		if errors.Is(err, syscall.ENOSPC) {
			err = errors.Join(storage.ErrStorageFull, err)
		}
	}
	return err
}

// replace rewrites the file.
func (c *client) replace(ctx context.Context, changed changes) error {
	keys := c.keysAfter(changed)
	var index map[string]span
	renamed, err := replace(c.path, func(to io.Writer) (err error) {
		index, err = write(to, len(keys), func(yield func(entry, error) bool) {
			for _, key := range keys {
				value, ok := changed[key]
				var err error
				if !ok {
					value, err = c.readStored(ctx, key)
				}
				if !yield(entry{key, value}, err) {
					return
				}
			}
		})
		return err
	})
	if renamed {
		c.index = index
	}
	return err
}

// reset continues with an empty storage instead of an unusable file.
func (c *client) reset(ctx context.Context, why error) error {
	c.index = make(map[string]span)
	if errors.Is(why, errRemoved) {
		c.storage.logger.Warn("A file was removed while in use; its values are lost", zap.String("file", c.path))
		return nil
	}
	return c.storage.setAside(ctx, c.path, why)
}

// keysAfter returns the keys after changes, sorted.
func (c *client) keysAfter(changed changes) []string {
	var keys []string
	for key := range c.index {
		if _, ok := changed[key]; !ok {
			keys = append(keys, key)
		}
	}
	for key, value := range changed {
		if value != nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Close releases the file, so that another client may open it. It is idempotent.
func (c *client) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed, c.index = true, nil
	defer c.release()
	return c.lock.Close()
}

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

// client is one file. It keeps in memory where the values are, and reads them when they
// are asked for. It is safe for concurrent use.
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
	errRemoved   = errors.New("the file was removed while it was in use")
	errOperation = errors.New("unknown operation")
)

// load reads the file, if there is one. A damaged one is set aside.
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

// Get returns the value of a key, nil if there is none.
func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	operation := storage.GetOperation(key)
	err := c.Batch(ctx, operation)
	return operation.Value, err
}

// Set stores a value.
func (c *client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete removes a value, if there is one.
func (c *client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch does all operations, in order, or stores nothing. When it returns without an
// error, what was stored has reached the disk. On a full disk the error is
// storage.ErrStorageFull.
func (c *client) Batch(ctx context.Context, operations ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	return c.apply(ctx, operations)
}

// Walk calls fn with each key and value. The operations that fn returns are done
// together at the end.
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
	return c.apply(ctx, operations)
}

func (c *client) collect(ctx context.Context, fn storage.WalkFunc) (operations []*storage.Operation, err error) {
	for _, key := range slices.Sorted(maps.Keys(c.index)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		value, err := c.stored(ctx, key)
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

// stored returns the value of a key in the file, nil if there is none.
func (c *client) stored(ctx context.Context, key string) (value []byte, err error) {
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

// changes are what operations make of the file: the new value of a key, nil if it is
// deleted.
type changes map[string][]byte

// apply does operations. mu is held.
func (c *client) apply(ctx context.Context, operations []*storage.Operation) error {
	changed := make(changes)
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			value, ok := changed[o.Key]
			if !ok {
				var err error
				if value, err = c.stored(ctx, o.Key); err != nil {
					return err
				}
			}
			o.Value = bytes.Clone(value)
		case storage.Set:
			changed[o.Key] = append([]byte{}, o.Value...) // an empty value is a value
		case storage.Delete:
			changed[o.Key] = nil
		default:
			return fmt.Errorf("%w: %d", errOperation, o.Type)
		}
	}
	return c.write(ctx, changed)
}

// write writes the file anew, unless nothing in it changes. What else is stored in a
// file that has been damaged, or removed, since it was opened is lost; what is written
// now is not.
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
		if err := c.startOver(ctx, err); err != nil {
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

// replace writes the file anew.
func (c *client) replace(ctx context.Context, changed changes) error {
	keys := c.keysAfter(changed)
	var index map[string]span
	renamed, err := replace(c.path, func(to io.Writer) (err error) {
		index, err = write(to, len(keys), func(yield func(entry, error) bool) {
			for _, key := range keys {
				value, ok := changed[key]
				var err error
				if !ok {
					value, err = c.stored(ctx, key)
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

// startOver goes on with nothing stored, in place of a file that is of no use.
func (c *client) startOver(ctx context.Context, why error) error {
	c.index = make(map[string]span)
	if errors.Is(why, errRemoved) {
		c.storage.logger.Warn("A file was removed while it was in use; what it held is lost", zap.String("file", c.path))
		return nil
	}
	return c.storage.setAside(ctx, c.path, why)
}

// keysAfter returns the keys that there are after changes, in order.
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

// Close ends the use of the file, which another client may have from then on. It is
// idempotent.
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

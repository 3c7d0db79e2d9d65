package atomicstorage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/extension/atomicstorage/internal/metadata"
)

// atomicStorage provides a client for each component, each with its own file. It is safe for
// concurrent use.
type atomicStorage struct {
	config    *Config
	logger    *zap.Logger
	self      attribute.KeyValue // identifies this extension in its telemetry
	telemetry *metadata.TelemetryBuilder

	mu   sync.Mutex
	open map[string]string // the component that uses each file, by file name
}

var _ storage.Extension = (*atomicStorage)(nil)

func newAtomicStorage(cfg *Config, set extension.Settings) (*atomicStorage, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &atomicStorage{
		config:    cfg,
		logger:    set.Logger,
		self:      attribute.String("extension", set.ID.String()),
		telemetry: builder,
		open:      make(map[string]string),
	}, nil
}

// Start returns an error if the directory does not exist or is not writable.
func (s *atomicStorage) Start(context.Context, component.Host) error {
	return s.config.prepare()
}

// Shutdown is idempotent and safe before Start. It does not close clients; the components must.
func (s *atomicStorage) Shutdown(context.Context) error {
	s.telemetry.Shutdown()
	return nil
}

// Operations that can fail.
const (
	operationOpen     = "open"
	operationRead     = "read"
	operationWrite    = "write"
	operationSetAside = "set_aside"
)

func (s *atomicStorage) failed(ctx context.Context, operation string) {
	s.telemetry.ExtensionAtomicFileStorageErrors.Add(ctx, 1, metric.WithAttributes(s.self, attribute.String("operation", operation)))
}

// GetClient opens the file of a component. The first write creates it. It returns an error if another
// client, in this process or another one, uses the file. A damaged file is renamed to a name that
// ends in .damaged, and the client starts empty.
func (s *atomicStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	file := fileName(kind, id, name)
	user := strings.ToLower(kind.String()) + " " + id.String()
	if err := s.reserve(file, user); err != nil {
		s.failed(ctx, operationOpen)
		return nil, err
	}
	c := &client{
		storage: s,
		path:    filepath.Join(s.config.Directory, file),
		release: func() { s.unreserve(file) },
	}
	if err := s.openClient(ctx, c); err != nil {
		s.unreserve(file)
		s.failed(ctx, operationOpen)
		return nil, fmt.Errorf("storage of %s: %w", user, err)
	}
	return c, nil
}

// reserve reserves a file for one client of this process.
func (s *atomicStorage) reserve(file, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, taken := s.open[file]; taken {
		return fmt.Errorf("storage of %s: already in use by %s; a component in several pipelines has an instance for each, which need different names, such as %s/2", user, other, user)
	}
	s.open[file] = user
	return nil
}

func (s *atomicStorage) unreserve(file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, file)
}

func (s *atomicStorage) openClient(ctx context.Context, c *client) error {
	c.lock = flock.New(c.path + lockSuffix)
	if err := s.acquire(ctx, c.lock); err != nil {
		return err
	}
	err := c.load(ctx)
	if err != nil {
		err = errors.Join(err, c.lock.Close())
	}
	return err
}

// retryLock is the interval of attempts to lock a file that another process uses.
const retryLock = 50 * time.Millisecond

var errLocked = errors.New("in use by another process")

func (s *atomicStorage) acquire(ctx context.Context, lock *flock.Flock) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	locked, err := lock.TryLock()
	if err == nil && !locked {
		locked, err = lock.TryLockContext(ctx, retryLock)
	}
	switch {
	case locked:
		return nil
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %s, after %v", errLocked, lock.Path(), s.config.Timeout)
	default:
		return fmt.Errorf("lock: %w", err)
	}
}

// setAside renames a damaged file, so that it can be inspected.
func (s *atomicStorage) setAside(ctx context.Context, path string, damage error) error {
	s.failed(ctx, operationSetAside)
	aside := path + damagedSuffix
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("set aside a damaged file: %w", errors.Join(damage, err))
	}
	s.logger.Warn("A file is damaged and was set aside; its component starts with an empty storage",
		zap.String("file", path), zap.String("set_aside", aside), zap.Error(damage))
	return nil
}

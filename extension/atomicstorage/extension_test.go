package atomicstorage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/otel-goroutine/otel-goroutine/extension/atomicstorage/internal/metadata"
)

func TestConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string // in the error; no error if empty
	}{
		{"valid", func(*Config) {}, ""},
		{"no directory", func(c *Config) { c.Directory = "" }, `"directory" is required`},
		{"missing directory", func(c *Config) { c.Directory, c.CreateDirectory = file+"/no", false }, `"directory"`},
		{"directory to create", func(c *Config) { c.Directory = file + "-new/and/below" }, ""},
		{"a file", func(c *Config) { c.Directory, c.CreateDirectory = file, false }, "is a file"},
		{"a negative timeout", func(c *Config) { c.Timeout = -time.Second }, `"timeout" must not be negative, got -1s`},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Directory = t.TempDir()
			test.change(cfg)
			if err := cfg.Validate(); test.want == "" {
				require.NoError(t, err)
				require.NoError(t, cfg.prepare())
				left, err := os.ReadDir(cfg.Directory)
				require.NoError(t, err)
				assert.Empty(t, left)
			} else {
				require.ErrorContains(t, err, test.want)
			}
		})
	}
}

// TestStartWithoutDirectory creates a file where the directory should be.
func TestStartWithoutDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, directory := range []string{file, file + "/below"} {
		cfg := createDefaultConfig().(*Config)
		cfg.Directory = directory
		extension, err := newAtomicStorage(cfg, extensiontest.NewNopSettings(metadata.Type))
		require.NoError(t, err)
		require.ErrorContains(t, extension.Start(t.Context(), componenttest.NewNopHost()), `"directory"`)
		require.NoError(t, extension.Shutdown(t.Context()))
	}
}

// TestEachClientHasItsOwnFile opens clients with similar names.
func TestEachClientHasItsOwnFile(t *testing.T) {
	r := startIn(t, t.TempDir())
	names := make(map[string]bool)
	for _, kind := range []component.Kind{component.KindProcessor, component.KindExporter} {
		for _, id := range []string{"", "a", "A", "a-b", "../x", "a/b", "größe", "a%2fb", strings.Repeat("x", 50)} {
			for _, name := range []string{"", "a", "b"} {
				c, err := r.GetClient(t.Context(), kind, component.MustNewIDWithName("leak_detect", id), name)
				require.NoError(t, err, "%s %q %q", kind, id, name)
				require.NoError(t, c.Set(t.Context(), "key", []byte(id)))
				defer func() { assert.NoError(t, c.Close(t.Context())) }()
				file := strings.ToLower(fileName(kind, component.MustNewIDWithName("leak_detect", id), name))
				assert.False(t, names[file], "%s %q %q shares %s", kind, id, name, file)
				names[file] = true
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(r.folder, "*"+fileSuffix))
	require.NoError(t, err)
	assert.Len(t, files, len(names))
	private, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Zero(t, private.Mode().Perm()&0o077, "readable by others")
}

// TestFileIsExclusive opens a file that is in use, by the same process and by another one.
func TestFileIsExclusive(t *testing.T) {
	folder := t.TempDir()
	r := startIn(t, folder)
	c := r.client(t)
	_, err := r.GetClient(t.Context(), component.KindProcessor, user, "")
	require.ErrorContains(t, err, "storage of processor leak_detect/shop: already in use by processor leak_detect/shop")
	assert.Equal(t, map[string]int64{operationOpen: 1}, r.errors(t))

	other := startIn(t, folder, func(c *Config) { c.Timeout = 2 * retryLock })
	_, err = other.GetClient(t.Context(), component.KindProcessor, user, "")
	require.ErrorIs(t, err, errLocked)
	require.ErrorContains(t, err, "storage of processor leak_detect/shop: in use by another process")

	// Close releases the file.
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	require.NoError(t, c.Close(t.Context()))
	assert.Equal(t, map[string]string{"a": "1"}, contents(t, other.client(t)))
}

// TestOpenWaitsForRelease simulates a rollover from one collector to another.
func TestOpenWaitsForRelease(t *testing.T) {
	folder := t.TempDir()
	c := startIn(t, folder).client(t)
	opened := make(chan error, 1)
	other := startIn(t, folder, func(c *Config) { c.Timeout = 20 * time.Second })
	go func() {
		c, err := other.GetClient(t.Context(), component.KindProcessor, user, "")
		if err == nil {
			err = c.Close(t.Context())
		}
		opened <- err
	}()
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, <-opened)
}

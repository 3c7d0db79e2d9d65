package atomicstorage

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/extension/atomicstorage/internal/metadata"
)

// user is the component whose storage the tests use.
var user = component.MustNewIDWithName("leak_detect", "shop")

// rig is a started extension with its own directory.
type rig struct {
	*atomicStorage
	folder    string
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

func startIn(t *testing.T, folder string, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{folder: folder, telemetry: componenttest.NewTelemetry()}
	core, logs := observer.New(zap.InfoLevel)
	r.logs = logs
	cfg := createDefaultConfig().(*Config)
	cfg.Directory, cfg.Timeout = folder, 0
	for _, c := range change {
		c(cfg)
	}
	settings := extensiontest.NewNopSettings(metadata.Type)
	settings.ID = component.NewID(metadata.Type)
	settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	extension, err := NewFactory().Create(t.Context(), settings, cfg)
	require.NoError(t, err)
	r.atomicStorage = extension.(*atomicStorage)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		assert.NoError(t, r.Shutdown(context.Background()))
		assert.NoError(t, r.Shutdown(context.Background()), "a second time")
		assert.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	return r
}

func (r *rig) client(t *testing.T) storage.Client {
	t.Helper()
	c, err := r.GetClient(t.Context(), component.KindProcessor, user, "")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.Background())) })
	return c
}

// file returns the path of the client's file.
func (r *rig) file() string {
	return filepath.Join(r.folder, fileName(component.KindProcessor, user, ""))
}

// errors returns the number of failed operations by name.
func (r *rig) errors(t *testing.T) map[string]int64 {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_extension_atomic_file_storage_errors")
	if err != nil {
		return nil // no errors so far
	}
	counted := make(map[string]int64)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		self, _ := p.Attributes.Value("extension")
		assert.Equal(t, metadata.Type.String(), self.AsString())
		operation, _ := p.Attributes.Value("operation")
		counted[operation.AsString()] = p.Value
	}
	return counted
}

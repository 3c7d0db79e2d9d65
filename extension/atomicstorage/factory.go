package atomicstorage

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/otel-goroutine/otel-goroutine/extension/atomicstorage/internal/metadata"
)

// NewFactory returns the factory of the atomic_file_storage extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		createDefaultConfig,
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return newAtomicStorage(cfg.(*Config), set)
		},
		metadata.ExtensionStability,
	)
}

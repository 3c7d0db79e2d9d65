package leakdetect

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

// builtWith is a host that knows with which types of extensions it was built.
type builtWith struct {
	host
	types []string
}

func (b builtWith) GetFactory(kind component.Kind, of component.Type) component.Factory {
	for _, built := range b.types {
		if kind == component.KindExtension && built == of.String() {
			return NewFactory() // any will do
		}
	}
	return nil
}

func TestStorageThatIsNone(t *testing.T) {
	const notStarted = `'storage': extension "atomic_file_storage" is not started: add it to service::extensions, and define it under extensions if it is not there yet`
	started := hostWith(newDisk())
	for name, tc := range map[string]struct {
		storage string
		host    component.Host
		want    string
	}{
		"not started":               {"atomic_file_storage", componenttest.NewNopHost(), notStarted},
		"not started, but another":  {"atomic_file_storage", started, notStarted + "; or name a storage that is started: file_storage"},
		"not started, but built in": {"atomic_file_storage", builtWith{started, []string{"atomic_file_storage"}}, notStarted + "; or name a storage that is started: file_storage"},
		"not built in":              {"atomic_storage", builtWith{started, []string{"atomic_file_storage"}}, `'storage': this collector has no extension of type "atomic_storage": one is atomic_file_storage`},
		"no storage":                {"zpages", started, `'storage': extension "zpages" is no storage, such as atomic_file_storage is`},
	} {
		t.Run(name, func(t *testing.T) {
			c := defaultConfig()
			c.Storage = new(component.ID)
			require.NoError(t, c.Storage.UnmarshalText([]byte(tc.storage)))
			p, err := NewFactory().CreateMetrics(t.Context(), metadatatest.NewSettings(componenttest.NewTelemetry()), c, consumertest.NewNop())
			require.NoError(t, err)
			require.EqualError(t, p.Start(t.Context(), tc.host), tc.want)
			require.NoError(t, p.Shutdown(t.Context()))
		})
	}
}

package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
)

// builtWith is a host that knows the types of extensions that it was built with.
type builtWith struct {
	component.Host
	types []string
}

func (b builtWith) GetFactory(kind component.Kind, of component.Type) component.Factory {
	for _, built := range b.types {
		if kind == component.KindExtension && built == of.String() {
			return struct{ component.Factory }{} // any will do
		}
	}
	return nil
}

func TestOpenNamesWhatIsWrongWithTheConfiguration(t *testing.T) {
	const notStarted = `'storage': extension "atomic_file_storage" is not started: add it to service::extensions, and define it under extensions if it is not there yet`
	started := statetest.NewHost(statetest.New(nil))
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
			c := newComponent()
			require.EqualError(t, c.open(t, tc.host, component.MustNewID(tc.storage)), tc.want)
			require.False(t, c.store.IsOpen())
			require.Empty(t, c.failures)
		})
	}
}

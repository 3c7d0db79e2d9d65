package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
)

// builtWith is a Host with the factories of these types of extensions.
type builtWith struct {
	component.Host
	types []string
}

func (b builtWith) GetFactory(kind component.Kind, componentType component.Type) component.Factory {
	for _, built := range b.types {
		if kind == component.KindExtension && built == componentType.String() {
			return struct{ component.Factory }{} // only compared with nil
		}
	}
	return nil
}

func TestOpenErrors(t *testing.T) {
	const notStarted = `'storage': extension "atomic_file_storage" is not started: add it to service::extensions, and define it under extensions if it is not there yet`
	started := statetest.NewHost(statetest.New(nil))
	for name, tc := range map[string]struct {
		storage string
		host    component.Host
		want    string
	}{
		"not started":               {"atomic_file_storage", componenttest.NewNopHost(), notStarted},
		"not started, but another":  {"atomic_file_storage", started, notStarted + "; or use a storage extension that is started: file_storage"},
		"not started, but built in": {"atomic_file_storage", builtWith{started, []string{"atomic_file_storage"}}, notStarted + "; or use a storage extension that is started: file_storage"},
		"not built in":              {"atomic_storage", builtWith{started, []string{"atomic_file_storage"}}, `'storage': this collector has no extension of type "atomic_storage"; the type of a storage extension is, for example, atomic_file_storage`},
		"no storage":                {"zpages", started, `'storage': extension "zpages" is not a storage extension, as atomic_file_storage is`},
	} {
		t.Run(name, func(t *testing.T) {
			c := newComponent()
			require.EqualError(t, c.open(t, tc.host, component.MustNewID(tc.storage)), tc.want)
			require.False(t, c.store.IsOpen())
			require.Empty(t, c.failures)
		})
	}
}

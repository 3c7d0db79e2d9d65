package semconv

import (
	"maps"
	"slices"
	"testing"
)

// The files of the registry.
const (
	metricsFile    = "semconv/model/metrics.yaml"
	attributesFile = "semconv/model/attributes.yaml"
	eventsFile     = "semconv/model/events.yaml"
)

// source is a file or folder, and the names in it.
type source struct {
	path  string
	names []string
}

// checkSameNames fails for each name that only one of two sources has.
func checkSameNames(t *testing.T, kind string, a, b source) {
	t.Helper()
	checkHasNames(t, kind, a, b)
	checkHasNames(t, kind, b, a)
}

// checkHasNames fails for each name in from that is not in to, or twice in from.
func checkHasNames(t *testing.T, kind string, from, to source) {
	t.Helper()
	names := slices.Sorted(slices.Values(from.names))
	for i, name := range names {
		if i > 0 && name == names[i-1] {
			t.Errorf("%s has the %s %s twice", from.path, kind, name)
		}
		if !slices.Contains(to.names, name) {
			t.Errorf("%s lacks the %s %s, which is in %s", to.path, kind, name, from.path)
		}
	}
}

func keys[V any](m map[string]V) []string { return slices.Collect(maps.Keys(m)) }

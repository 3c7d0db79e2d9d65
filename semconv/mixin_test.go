package semconv

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/semconv/v1.38.0/goconv"
)

const mixinFile = "deploy/names.libsonnet"

var suffixLine = regexp.MustCompile(`(?m)^ {2}'([a-z_.]+)': '([a-z_]*)',$`)

// TestMixinKnowsEverySuffix holds the names of rules and dashboards to those that the library
// of Prometheus and of the collector's exporters makes.
func TestMixinKnowsEverySuffix(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(mixinFile)))
	require.NoError(t, err)
	written := map[string]string{}
	for _, line := range suffixLine.FindAllStringSubmatch(string(text), -1) {
		written[line[1]] = line[2]
	}
	want := map[string]string{}
	var used goconv.MemoryUsed
	var limit goconv.MemoryLimit
	for _, m := range append(loaded(t).Metrics,
		Metric{Name: used.Name(), Unit: used.Unit(), Instrument: "updowncounter"},
		Metric{Name: limit.Name(), Unit: limit.Unit(), Instrument: "updowncounter"}) {
		dotted, err := m.InPrometheus("NoUTF8EscapingWithSuffixes")
		require.NoError(t, err)
		want[m.Name] = dotted[len(m.Name):]
	}
	checkSameNames(t, "metric", source{mixinFile, keys(written)}, source{metricsFile, keys(want)})
	for name, suffix := range written {
		if suffix != want[name] {
			t.Errorf("%s has the suffix %q for %s; want %q", mixinFile, suffix, name, want[name])
		}
	}
}

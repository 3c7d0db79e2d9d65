package leakdetect

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

func readme(t *testing.T) string {
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(data)
}

// rows returns the README's table rows whose first cell is this code.
func tableRows(text, code string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `"+code+"` |") {
			found = append(found, line)
		}
	}
	return found
}

func parseYAML(t *testing.T, yaml string) *confmap.Conf {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf
}

func TestReadmeHasEverySettingWithItsDefault(t *testing.T) {
	text := readme(t)
	for key, value := range map[string]string{
		"min_duration": "`30m`", "max_lifetime": "`12h`", "max_stale": "`24h`",
		"min_leaked": "`10`", "max_streams": "`100000`",
	} {
		require.NotEmpty(t, tableRows(text, key), key)
		assert.Contains(t, tableRows(text, key)[0], "| "+value+" |")
		got := defaultConfig()
		require.NoError(t, parseYAML(t, key+": "+strings.Trim(value, "`")).Unmarshal(got))
		assert.Equal(t, defaultConfig(), got, "the README's default of %s", key)
	}
	for _, c := range []any{Config{}, MemoryRule{}, Override{}, IgnoreRule{}} {
		for field := range reflect.TypeOf(c).Fields() {
			key := field.Tag.Get("mapstructure")
			if !field.IsExported() {
				continue
			}
			assert.NotEmpty(t, tableRows(text, key), key)
		}
	}
	for _, rule := range defaultMemory() {
		assert.Contains(t, text, "`"+rule.Metric+"`")
	}
	assert.Contains(t, text, fmt.Sprintf("| `%d` (64 MiB) |", defaultMinLeakedBytes))
}

func TestReadmeHasEveryMetric(t *testing.T) {
	text := readme(t)
	for name, w := range goroutineMetrics() {
		isDefault := !strings.Contains(name, ".") && strings.HasSuffix(name, "_total") == (w.part == detect.Exits)
		isOwn := strings.Contains(name, ".") && !strings.HasSuffix(name, "_total")
		if isDefault || isOwn {
			assert.Contains(t, text, "`"+name+"`")
		}
	}
	all := slices.Concat(goroutineLeakMetrics(), memoryLeakMetrics())
	for _, e := range all {
		require.Len(t, tableRows(text, e.name), 1, e.name)
		assert.Contains(t, tableRows(text, e.name)[0], "| `"+e.unit+"` |")
	}
}

func TestReasonsAreDocumented(t *testing.T) {
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	enum := conf.Get("attributes::reason::enum")
	want := make([]any, len(reasons))
	for i, r := range reasons {
		want[i] = string(r)
		assert.Len(t, tableRows(readme(t), string(r)), 1, r)
	}
	assert.Equal(t, want, enum)
}

// The examples are read as the collector reads them.
func TestReadmeExamplesAreValid(t *testing.T) {
	blocks := strings.Split(readme(t), "```yaml\n")[1:]
	// One is of a collector that has no such processor.
	blocks = slices.DeleteFunc(blocks, func(block string) bool { return strings.HasPrefix(block, "# otelcol-contrib") })
	require.Len(t, blocks, 5)
	for _, block := range blocks {
		yaml, _, _ := strings.Cut(block, "```")
		sub, err := parseYAML(t, yaml).Sub("processors::leak_detect")
		require.NoError(t, err)
		cfg := NewFactory().CreateDefaultConfig()
		require.NoError(t, sub.Unmarshal(cfg))
		assert.NoError(t, confmap.Validate(cfg))
		assert.NotEqual(t, defaultConfig(), cfg)
	}
}

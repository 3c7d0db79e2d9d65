package leakdetect

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/readmetest"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

func TestReadmeHasEverySettingWithItsDefault(t *testing.T) {
	text := readmetest.Text(t)
	for key, value := range map[string]string{
		"min_duration": "`30m`", "max_lifetime": "`12h`", "max_stale": "`24h`",
		"min_leaked": "`10`", "max_streams": "`100000`",
	} {
		assert.Contains(t, readmetest.Rows(t, key)[0], "| "+value+" |")
		got := defaultConfig()
		require.NoError(t, readmetest.Parse(t, key+": "+strings.Trim(value, "`")).Unmarshal(got))
		assert.Equal(t, defaultConfig(), got, "the README's default of %s", key)
	}
	for _, c := range []any{Config{}, MemoryRule{}, Override{}, IgnoreRule{}} {
		for field := range reflect.TypeOf(c).Fields() {
			key := field.Tag.Get("mapstructure")
			if !field.IsExported() {
				continue
			}
			readmetest.Rows(t, key)
		}
	}
	for _, rule := range defaultMemory() {
		if !strings.Contains(text, "`"+rule.Metric+"`") {
			t.Errorf("README.md lacks the metric %s, which has a rule by default", rule.Metric)
		}
	}
	if want := fmt.Sprintf("| `%d` (64 MiB) |", defaultMinLeakedBytes); !strings.Contains(text, want) {
		t.Errorf("README.md lacks the default %s", want)
	}
}

func TestReadmeHasEveryMetric(t *testing.T) {
	text := readmetest.Text(t)
	for name, w := range goroutineMetrics() {
		isDefault := !strings.Contains(name, ".") && strings.HasSuffix(name, "_total") == (w.part == detect.Exits)
		isOwn := strings.Contains(name, ".") && !strings.HasSuffix(name, "_total")
		if (isDefault || isOwn) && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md lacks the metric %s", name)
		}
	}
	all := slices.Concat(goroutineLeakMetrics(), memoryLeakMetrics())
	for _, e := range all {
		require.Len(t, readmetest.Rows(t, e.name), 1, e.name)
		assert.Contains(t, readmetest.Rows(t, e.name)[0], "| `"+e.unit+"` |")
	}
}

func TestReasonsAreDocumented(t *testing.T) {
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	enum := conf.Get("attributes::reason::enum")
	want := make([]any, len(reasons))
	for i, r := range reasons {
		want[i] = string(r)
		assert.Len(t, readmetest.Rows(t, string(r)), 1, r)
	}
	assert.Equal(t, want, enum)
}

func TestReadmeExamplesAreValid(t *testing.T) {
	readmetest.CheckExamples(t, "processors::leak_detect", 5, NewFactory().CreateDefaultConfig)
}

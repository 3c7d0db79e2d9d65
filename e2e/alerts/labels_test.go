package alerts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// promoted matches the list of resource attributes that become labels, in a configuration of the collector
// or in one of Prometheus, which may be in a comment.
var promoted = regexp.MustCompile(`(?:included|promote_resource_attributes): \[([^\]]+)\]`)

// TestLabelsThatTheRulesNeed checks that every example and every recipe promotes the attributes by which
// the mixin distinguishes services.
func TestLabelsThatTheRulesNeed(t *testing.T) {
	t.Parallel()
	var want []string
	require.NoError(t, json.Unmarshal(jsonnet(t, "(import 'mixin.libsonnet')._config.scopeLabels + ['service.name', 'service.instance.id']"), &want))
	// Prometheus itself adds the label cluster.
	want = slices.DeleteFunc(want, func(label string) bool { return label == "cluster" })

	files := map[string]int{
		"examples/collector/prometheus.yaml":              1,
		"examples/collector/prometheus-remote-write.yaml": 1,
		"examples/collector/prometheus-otlp.yaml":         1,
		"docs/recipes/prometheus.md":                      3,
		"docs/recipes/grafana-cloud.md":                   1,
	}
	for file, times := range files {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		require.NoError(t, err)
		lists := promoted.FindAllStringSubmatch(string(content), -1)
		require.Len(t, lists, times, file)
		for _, list := range lists {
			names := strings.FieldsFunc(list[1], func(r rune) bool { return strings.ContainsRune(", \n#", r) })
			assert.ElementsMatch(t, want, names, file)
		}
	}
	readme, err := os.ReadFile(filepath.Join(deploy, "README.md"))
	require.NoError(t, err)
	for _, name := range want {
		assert.Contains(t, string(readme), "| `"+name+"` | `"+strings.ReplaceAll(name, ".", "_")+"` |")
	}
}

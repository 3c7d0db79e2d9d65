package goroutinereceiver

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// TestReadmeHasEveryKey checks that README.md documents each key.
func TestReadmeHasEveryKey(t *testing.T) {
	text := readme(t)
	for _, config := range []reflect.Type{
		reflect.TypeFor[Config](), reflect.TypeFor[TargetConfig](), reflect.TypeFor[LeakProfileConfig](), reflect.TypeFor[OriginsConfig](),
		reflect.TypeFor[FileSDConfig](), reflect.TypeFor[HTTPSDConfig](), reflect.TypeFor[DNSConfig](), reflect.TypeFor[TargetAllocatorConfig](), reflect.TypeFor[ShardConfig](),
	} {
		for field := range config.Fields() {
			key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
			if key != "" && !strings.Contains(text, "`"+key+"`") {
				t.Errorf("README.md lacks the key %s of %s", key, config.Name())
			}
		}
	}
}

// TestReadmeHasKubernetesTable compares the table of attributes with the code.
func TestReadmeHasKubernetesTable(t *testing.T) {
	var table strings.Builder
	for _, row := range targetlist.KubernetesAttributes {
		fmt.Fprintf(&table, "| `%s` | `%s` |\n", row.Label, row.Attribute)
	}
	if !strings.Contains(readme(t), table.String()) {
		t.Errorf("README.md lacks this table of Kubernetes labels:\n%s", table.String())
	}
}

// TestReadmeHasEveryErrorType checks that README.md documents each error.type.
func TestReadmeHasEveryErrorType(t *testing.T) {
	text := readme(t)
	for name := range metadata.MapAttributeErrorType {
		if !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("README.md lacks %s in its table of values of error.type", name)
		}
	}
}

// TestReadmeHasEveryMetric checks that README.md documents each metric and the event.
func TestReadmeHasEveryMetric(t *testing.T) {
	text := readme(t)
	for _, name := range metricNames() {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md lacks %s in its table of metrics", name)
		}
	}
	if !strings.Contains(text, "`"+telemetry.EventOrigin+"`") {
		t.Errorf("README.md lacks the event %s", telemetry.EventOrigin)
	}
}

package goroutinereceiver

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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
			if key != "" {
				assert.Contains(t, text, "`"+key+"`")
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
	assert.Contains(t, readme(t), table.String())
}

// TestReadmeHasEveryErrorType checks that README.md documents each error.type.
func TestReadmeHasEveryErrorType(t *testing.T) {
	text := readme(t)
	for name := range metadata.MapAttributeErrorType {
		assert.Contains(t, text, "| `"+name+"` |")
	}
}

// TestMetricNames compares the names in metadata.yaml with the names in internal/telemetry, which all
// components use.
func TestMetricNames(t *testing.T) {
	info := metadata.MetricsInfo
	assert.Equal(t, telemetry.GoroutineCount, info.GoGoroutineCount.Name)
	assert.Equal(t, telemetry.GoroutineCreations, info.GoroutineCreations.Name)
	assert.Equal(t, telemetry.StackCount, info.GoroutineStackCount.Name)
	assert.Equal(t, telemetry.StackAgedCount, info.GoroutineStackAgedCount.Name)
	assert.Equal(t, telemetry.StackAgedExits, info.GoroutineStackAgedExits.Name)
	assert.Equal(t, telemetry.StackLeakedCount, info.GoroutineStackLeakedCount.Name)
	assert.Equal(t, telemetry.EntryCount, info.GoroutineEntryCount.Name)
	assert.Equal(t, telemetry.EntryAgedCount, info.GoroutineEntryAgedCount.Name)
	assert.Equal(t, telemetry.EntryAgedExits, info.GoroutineEntryAgedExits.Name)
	assert.Equal(t, telemetry.OriginCreations, info.GoroutineOriginSampledCreations.Name)
	assert.Equal(t, telemetry.OriginWakeups, info.GoroutineOriginSampledWakeups.Name)
	assert.Equal(t, telemetry.OriginTraced, info.GoroutineOriginTraced.Name)
	assert.Equal(t, telemetry.ProcessBuild, info.GoroutineProcessBuild.Name)
	assert.Equal(t, telemetry.ScrapeFailures, info.GoroutineScrapeFailures.Name)
	assert.Equal(t, telemetry.ScrapeUp, info.GoroutineScrapeUp.Name)
	assert.Equal(t, telemetry.ScrapeDuration, info.GoroutineScrapeDuration.Name)
	text := readme(t)
	assert.Contains(t, text, "`"+telemetry.OriginLifetime+"`")
	assert.Contains(t, text, "`"+telemetry.EventOrigin+"`")
	for i := range reflect.TypeOf(info).NumField() {
		assert.Contains(t, text, "`"+reflect.ValueOf(info).Field(i).Field(0).String()+"`")
	}
}

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// TestSharedInstanceIDIsReported checks that the collector warns of two processes with the same
// service.instance.id, and not of two with different ones.
func TestSharedInstanceIDIsReported(t *testing.T) {
	t.Parallel()
	otlp, log := loopback.FreeAddress(t), filepath.Join(t.TempDir(), "log")
	service := buildExample(t, "instrumented")
	stop := runInto(t, log, []string{"OTLP_HTTP_LISTEN=" + otlp}, collector, "--config", filepath.Join("..", "examples", "instrumented", "collector.yaml"))
	start := func(name, instance string) {
		run(t, []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + otlp, "OTEL_METRIC_EXPORT_INTERVAL=1000", "OTEL_GO_GOROUTINE_INTERVAL=1s",
			"OTEL_SERVICE_NAME=" + name, "OTEL_RESOURCE_ATTRIBUTES=service.instance.id=" + instance,
		}, service, "-listen", loopback.FreeAddress(t), "-for", "2m")
	}
	warnings := func() []string {
		var found []string
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "Several processes send under one identity") {
				found = append(found, line)
			}
		}
		return found
	}
	start("apart", "one")
	start("apart", "two")
	start("mixed", "one")
	start("mixed", "one")
	await(t, time.Minute, "the collector warns", func() bool { return len(warnings()) > 0 })
	stop()
	require.Len(t, warnings(), 1)
	assert.Contains(t, warnings()[0], `"service.name": "mixed"`)
	assert.Contains(t, warnings()[0], "service.instance.id")
}

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// TestPageExample runs examples/collector/page.yaml. The page shows the service, also after a restart of
// the collector and before new data.
func TestPageExample(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	target := "127.0.0.1:" + pprofPort(t, "127.0.0.1")
	page := loopback.FreeAddress(t)
	start := func(target string) (stop func()) {
		_, port, _ := strings.Cut(loopback.FreeAddress(t), ":")
		return run(t, []string{"TELEMETRY_PORT=" + port, "CART_PPROF=" + target, "STATE_DIR=" + state, "PAGE_ENDPOINT=" + page},
			collector, "--config", filepath.Join("..", "examples", "collector", "page.yaml"))
	}
	stop := start(target)
	await(t, time.Minute, "the page shows the service", func() bool {
		services := pageAt(t.Context(), "http://"+page+"/services")
		return strings.Contains(services, "cart") && strings.Contains(services, "1 of 1 target up")
	})
	assert.Contains(t, pageAt(t.Context(), "http://"+page+"/"), "No leak is open.")
	stop()

	start(loopback.FreeAddress(t)) // nothing answers there
	await(t, time.Minute, "the page still shows the service", func() bool {
		services := pageAt(t.Context(), "http://"+page+"/services")
		return strings.Contains(services, "cart") && strings.Contains(services, "1 of ") // of the target that was up
	})
}

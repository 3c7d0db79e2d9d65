package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// overlayBlock matches a configuration in docs/scaling.md. It begins with the name of the example that it
// is used with.
var overlayBlock = regexp.MustCompile("(?s)```yaml\n(# beside ([a-z]+\\.yaml)\n.*?)```")

// TestScalingPageIsValid validates every configuration of docs/scaling.md with the collector.
func TestScalingPageIsValid(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "scaling.md"))
	require.NoError(t, err)
	blocks := overlayBlock.FindAllStringSubmatch(string(page), -1)
	require.Len(t, blocks, strings.Count(string(page), "```yaml"), "blocks that name an example")
	require.NotEmpty(t, blocks)
	for i, block := range blocks {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), collector, append([]string{"validate"}, overlayArgs(t, block)...)...).CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
}

// overlayArgs returns the collector's arguments for a block with its example.
func overlayArgs(t *testing.T, block []string) []string {
	file := filepath.Join(t.TempDir(), "overlay.yaml")
	require.NoError(t, os.WriteFile(file, []byte(block[1]), 0o600))
	return []string{"--config", filepath.Join("..", "examples", "collector", block[2]), "--config", file}
}

// TestFlagsAlone runs the detector that sends only flags, and checks that it drops all other metrics.
func TestFlagsAlone(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "scaling.md"))
	require.NoError(t, err)
	var flags []string
	for _, block := range overlayBlock.FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], "filter/flags") {
			flags = block
		}
	}
	require.NotNil(t, flags)
	var mu sync.Mutex
	var names []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		md, err := readExport(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					names = append(names, m.Name())
				}
			}
		}
	}))
	defer backend.Close()
	listen, telemetry := loopback.FreeAddress(t), loopback.FreeAddress(t)
	run(t, []string{
		"OTLP_GRPC_LISTEN=" + listen, "OTLP_ENDPOINT=" + backend.URL, "STATE_DIR=" + t.TempDir(),
		"HEALTH_ENDPOINT=" + loopback.FreeAddress(t), "TELEMETRY_PORT=" + telemetry[strings.LastIndexByte(telemetry, ':')+1:],
	}, collector, overlayArgs(t, flags)...)
	conn, err := grpc.NewClient(listen, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	client := pmetricotlp.NewGRPCClient(conn)
	kept := []string{"goroutine.leak.severity", "goroutine.leak.service.count", "goroutine.service.instance.count", "memory.leak.size"}
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range slices.Concat([]string{"goroutine.stack.count", "goroutine.stack.aged.count", "goroutine.scrape.up", "go.memory.used"}, kept) {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	}
	await(t, time.Minute, "the detector accepts data", func() bool {
		_, err := client.Export(t.Context(), pmetricotlp.NewExportRequestFromMetrics(md))
		return err == nil
	})
	got := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(names)
	}
	await(t, time.Minute, "the backend receives data", func() bool { return len(got()) >= len(kept) })
	assert.ElementsMatch(t, kept, got())
}

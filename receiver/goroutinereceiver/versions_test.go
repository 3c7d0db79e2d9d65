package goroutinereceiver

import (
	"bufio"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// everyGo selects the whole table, as `make targets-check` does. Versions that are not installed
// are downloaded.
var everyGo = flag.Bool("every-go", false, "scrape a service built with each version of Go in docs/own-collector.md, not only with this one")

// goVersion is a row of the table: the version of Go that a target is built with, and what the
// receiver then reports.
type goVersion struct{ version, source, ages, proof string }

func goVersions(t *testing.T) []goVersion {
	t.Helper()
	page, err := os.ReadFile("../../docs/own-collector.md")
	require.NoError(t, err)
	var versions []goVersion
	for _, row := range regexp.MustCompile(`(?m)^\| (1\.\d+\.\d+) \| (\w+) \| (\w+) \| (\w+) \|$`).FindAllStringSubmatch(string(page), -1) {
		versions = append(versions, goVersion{row[1], row[2], row[3], row[4]})
	}
	require.Len(t, versions, 6, "one row for each minor version of Go")
	return versions
}

// TestTargetsOfEachGo scrapes a service built with each version of Go in the documentation.
func TestTargetsOfEachGo(t *testing.T) {
	minor := regexp.MustCompile(`^1\.\d+`)
	current := minor.FindString(strings.TrimPrefix(runtime.Version(), "go"))
	tested := 0
	for _, v := range goVersions(t) {
		if !*everyGo && minor.FindString(v.version) != current {
			continue
		}
		tested++
		t.Run(v.version, func(t *testing.T) { scrapeTarget(t, v) })
	}
	assert.Positive(t, tested, "the table has no row for %s", runtime.Version())
}

func scrapeTarget(t *testing.T, v goVersion) {
	t.Helper()
	cfg := testConfig(targetAt(startTarget(t, v.version)))
	cfg.CollectionInterval = 100 * time.Millisecond
	cfg.LeakProfile = LeakProfileConfig{Enabled: true, Interval: 500 * time.Millisecond, MaxGoroutines: 1000}
	group := []string{telemetry.AttrFunction, "main.awaitReply", telemetry.AttrState, "chan_receive"}
	yes := map[bool]string{true: "yes", false: "no"}
	proved := func(s scraped) bool { return s.sum(telemetry.StackLeakedCount, group...) == 12 }
	r := startReceiver(t, cfg)
	// What a version does not provide must still be absent after several scrapes.
	var last scraped
	for range 5 {
		last = r.next(t)
		require.True(t, last.up())
		assert.EqualValues(t, 12, last.sum(telemetry.StackCount, group...))
	}
	assert.NotEmpty(t, last.points(telemetry.ScrapeDuration, telemetry.AttrScrapeSource, v.source), "the source is not %s", v.source)
	assert.Equal(t, v.ages, yes[last.sum(telemetry.StackAgedCount, group...) == 12], "ages")
	// Two consecutive profiles must agree.
	if v.proof == "yes" {
		last = r.until(t, proved)
	}
	assert.Equal(t, v.proof, yes[proved(last)], "the runtime's proof")
}

// startTarget builds the service with a version of Go, starts it, and returns its address.
func startTarget(t *testing.T, version string) string {
	t.Helper()
	folder := t.TempDir()
	source, err := os.ReadFile("testdata/target/main.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module target\n\ngo 1.22\n"), 0o600))
	executable := filepath.Join(folder, "target")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", executable, ".")
	build.Dir = folder
	toolchain := "local"
	if *everyGo {
		toolchain = "go" + version
	}
	build.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain, "GOFLAGS=", "GOWORK=off")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))

	service := exec.Command(executable)
	stdout, err := service.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, service.Start())
	t.Cleanup(func() {
		require.NoError(t, service.Process.Kill())
		_ = service.Wait() // killed
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(address)
}

package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

var (
	shellBlock  = regexp.MustCompile("(?s)```sh\n(.*?)```")
	makeCommand = regexp.MustCompile(`\bmake ([a-z0-9-]+)`)
	code        = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	comment     = regexp.MustCompile(`\s+#.*`)
)

// TestCommandsInReadme runs the commands of the README, and checks that CI runs the make targets among
// them, which take minutes.
func TestCommandsInReadme(t *testing.T) {
	readme := read(t, "README.md")
	ci := read(t, ".ci/run")
	var commands []string
	for _, block := range shellBlock.FindAllStringSubmatch(readme, -1) {
		commands = append(commands, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	require.NotEmpty(t, commands)
	ran := 0
	for _, command := range commands {
		command = comment.ReplaceAllString(command, "")
		switch {
		case strings.HasPrefix(command, "git clone "): // this is a clone
		case strings.HasPrefix(command, "go install "), strings.HasPrefix(command, "go get "): // for scripts/check-published.sh
		case strings.HasPrefix(command, "goroutine-leaks "): // for TestCheckFindsEveryLeak
		case strings.HasPrefix(command, "make "):
			assert.Contains(t, targetsOf(ci), strings.TrimPrefix(command, "make "), "CI does not run %s", command)
		default:
			checkServesMetrics(t, command)
			ran++
		}
	}
	assert.Equal(t, 1, ran, "commands that start the collector")
}

// targetsOf returns the make targets that a script calls, and collector, on which they depend.
func targetsOf(script string) []string {
	targets := []string{"collector"}
	for _, called := range makeCommand.FindAllStringSubmatch(script, -1) {
		targets = append(targets, called[1])
	}
	return targets
}

// TestTargetsInPagesExist checks that every make target in a Markdown file exists.
func TestTargetsInPagesExist(t *testing.T) {
	makefile := read(t, "Makefile")
	list := exec.CommandContext(t.Context(), "git", "ls-files", "*.md")
	list.Dir = ".."
	pages, err := list.Output()
	require.NoError(t, err)
	for page := range strings.FieldsSeq(string(pages)) {
		for _, block := range code.FindAllString(read(t, page), -1) {
			for _, named := range makeCommand.FindAllStringSubmatch(block, -1) {
				assert.Regexp(t, "(?m)^"+named[1]+":", makefile, "%s: %s", page, named[0])
			}
		}
	}
}

// checkServesMetrics runs a command of the README with the address of a real service, and checks the
// metrics that Prometheus would scrape. It uses free ports and a short interval.
func checkServesMetrics(t *testing.T, command string) {
	t.Helper()
	const example, leaking = "10.0.0.5:6060", "main.askSlowBackend"
	require.Contains(t, command, example)
	service, page := loopback.FreeAddress(t), loopback.FreeAddress(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	inBackground(ctx, t, "go -C examples/leaky run . -listen "+service)
	await(t, time.Minute, "the service leaks", func() bool {
		return strings.Contains(pageAt(ctx, "http://"+service+"/debug/pprof/goroutine?debug=1"), leaking)
	})
	inBackground(ctx, t, "STATE_DIR="+t.TempDir()+" "+strings.ReplaceAll(command, example, service)+
		" --set exporters.prometheus.endpoint="+page+
		" --set service.telemetry.metrics.level=none --set receivers.goroutine.collection_interval=1s")
	var metrics string
	require.True(t, within(30*time.Second, func() bool {
		metrics = pageAt(ctx, "http://"+page+"/metrics")
		return strings.Contains(metrics, `code_function_name="`+leaking+`"`)
	}), "%s\n%s", command, metrics)
	assert.Contains(t, metrics, `service_name="cart"`)
}

// inBackground runs a command with bash at the root of the repository. When the test ends, the command
// and its child processes are terminated.
func inBackground(ctx context.Context, t *testing.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Dir = ".."
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	terminate := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.Cancel = terminate
	cmd.WaitDelay = 10 * time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = terminate() // it may have exited already
		_ = cmd.Wait()  // ended by a signal
	})
}

// pageAt returns the page at url, or "" if it cannot be read.
func pageAt(ctx context.Context, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return ""
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(page)
}

// read returns the content of a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	require.NoError(t, err)
	return string(content)
}

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

// TestCommandsInReadme runs what the README tells a new user to call. What takes minutes
// is a target of make that CI runs by the same name.
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
		case strings.HasPrefix(command, "git clone "): // this is one
		case strings.HasPrefix(command, "make "):
			assert.Contains(t, builtBy(ci), strings.TrimPrefix(command, "make "), "CI does not run %s", command)
		default:
			servesMetrics(t, command)
			ran++
		}
	}
	assert.Equal(t, 1, ran, "commands that start the collector")
}

// builtBy returns the targets that a script makes, and those that these need.
func builtBy(script string) []string {
	targets := []string{"collector"} // of which all else is made
	for _, called := range makeCommand.FindAllStringSubmatch(script, -1) {
		targets = append(targets, called[1])
	}
	return targets
}

// TestTargetsInPagesExist checks the targets of make that any page names.
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

// servesMetrics runs a command of the README with the address of a real service, and
// reads the metrics of that service where Prometheus would. Ports are other than in the
// example, which may be taken, and the service is scraped at once.
func servesMetrics(t *testing.T, command string) {
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
	var told string
	require.True(t, within(30*time.Second, func() bool {
		told = pageAt(ctx, "http://"+page+"/metrics")
		return strings.Contains(told, `code_function_name="`+leaking+`"`)
	}), "%s\n%s", command, told)
	assert.Contains(t, told, `service_name="cart"`)
}

// inBackground has bash run a command at the root of the repository, and ends it with
// all that it has started.
func inBackground(ctx context.Context, t *testing.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Dir = ".."
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	end := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.Cancel = end
	cmd.WaitDelay = 10 * time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = end()      // it may have ended by itself
		_ = cmd.Wait() // ended by a signal
	})
}

// pageAt returns a page, or nothing as long as nobody serves it.
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

// read returns a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	require.NoError(t, err)
	return string(content)
}

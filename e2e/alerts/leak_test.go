package alerts

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// leaky is a service with a leak and one or more replicas.
type leaky struct {
	name      string
	targets   []target
	processes []*process
}

func newLeaky(t *testing.T, name string, replicas int) *leaky {
	t.Helper()
	l := &leaky{name: name}
	for range replicas {
		l.targets = append(l.targets, target{name, loopback.FreeAddress(t)})
	}
	return l
}

// start starts the service, which leaks immediately unless it has the flag repaired. The leak is faster
// than real ones, since a test has a minute instead of hours.
func (l *leaky) start(t *testing.T, service string, flags ...string) {
	t.Helper()
	for _, replica := range l.targets {
		args := append([]string{"-leak", "400ms", "-listen", replica.address}, flags...)
		l.processes = append(l.processes, startProcess(t, nil, service, args...))
	}
}

// deploy restarts the replicas with other flags.
func (l *leaky) deploy(t *testing.T, flags ...string) {
	t.Helper()
	for i, p := range l.processes {
		p.args = append([]string{"-leak", "400ms", "-listen", l.targets[i].address}, flags...)
		require.NoError(t, p.restart(syscall.SIGTERM))
	}
}

// repaired is the flag that removes the leak of the service.
const repaired = "-repaired"

// leakLine returns the number of the line in the service at which goroutines leak.
func leakLine(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("service", "leak.go"))
	require.NoError(t, err)
	before, _, found := strings.Cut(string(source), "// here\n")
	require.True(t, found)
	return strconv.Itoa(strings.Count(before, "\n") + 1)
}

// checkAlert checks labels and annotations of an alert about the leak of a service.
func checkAlert(t *testing.T, a alert, service, instances string) {
	t.Helper()
	want := map[string]string{
		"alertname":    "GoroutineLeakProbable",
		"severity":     "warning",
		"service_name": service,
	}
	for label, value := range want {
		assert.Equal(t, value, a.Labels[label], label)
	}
	assert.Regexp(t, "^[0-9a-f]{16}$", a.Labels["goroutine_leak_id"])
	assert.NotContains(t, a.Labels, "service_instance_id", "the alert is about a service")
	place := `main\.awaitReply \(.*/e2e/alerts/service/leak\.go:` + leakLine(t) + `\), state chan_receive`
	assert.Regexp(t, "^"+service+` leaks goroutines \(probable\): `+place+`\.$`, a.Annotations["summary"])
	assert.Regexp(t, "^"+leakDescription(service, "have accumulated and do not exit", place, instances)+"check what changed", a.Annotations["description"])

	checkRunbook(t, a.Annotations["runbook_url"])
	assert.Contains(t, a.Annotations["dashboard_url"], "var-service="+service)
}

// leakDescription returns a regular expression for the start of the description of a leak. A confirmed
// leak may have no growth rate yet.
func leakDescription(service, leaked, place, instances string) string {
	return `[1-9][0-9]* of the [1-9][0-9]* goroutines of ` + service + ` ` + leaked + `: ` + place +
		`\. Since 20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC\.( Grows by [1-9][0-9]+ an hour, to [1-9][0-9]+ by this time tomorrow\.)?` +
		`( The first instance reaches 1000 goroutines in [0-9hms ]+\.)? Affects ` + instances + `: .*\. First: `
}

// checkRunbook checks that the page and the heading that an alert links to exist.
func checkRunbook(t *testing.T, link string) {
	t.Helper()
	_, page, found := strings.Cut(link, "/blob/main/")
	require.True(t, found, link)
	page, anchor, _ := strings.Cut(page, "#")
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	require.NoError(t, err)
	if anchor != "" {
		assert.Contains(t, strings.ToLower(string(content)), "\n## "+anchor+"\n")
	}
}

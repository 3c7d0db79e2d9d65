package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// leakyFunctions are the functions of examples/leaky whose goroutines leak.
var leakyFunctions = []string{"main.waitForReply", "main.askSlowBackend", "main.pollForever", "main.writeAudit"}

// buildExample builds a program of examples.
func buildExample(t *testing.T, name string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "examples", name)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}

// leakyPod is a process of examples/leaky at the address of a pod.
type leakyPod struct {
	name, address string
	stop          func()
}

// startPod starts a pod at an IP address of its own.
func startPod(t *testing.T, program, name, ip string) leakyPod {
	t.Helper()
	address := loopback.FreeAddressAt(t, ip)
	return leakyPod{name, address, run(t, nil, program, "-listen", address)}
}

// podInstance is a pod at one address.
type podInstance struct{ pod, instance string }

// podReport collects from the output of a collector what it reports about pods.
type podReport struct {
	path string
	read int // bytes of the file
	// scraped is the time of the last successful scrape.
	scraped map[podInstance]time.Time
	// flagged has the functions that were flagged as probable, by pod.
	flagged map[string]map[string]bool
	// clusters has the k8s.cluster.name of each pod.
	clusters map[string]string
}

func newPodReport(path string) *podReport {
	return &podReport{
		path: path, scraped: make(map[podInstance]time.Time), flagged: make(map[string]map[string]bool), clusters: make(map[string]string),
	}
}

// update reads what the collector has written since the last call.
func (r *podReport) update(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return // nothing has been written yet
	}
	require.NoError(t, err)
	data = data[r.read:]
	data = data[:bytes.LastIndexByte(data, '\n')+1] // without an incomplete line
	r.read += len(data)
	for line := range bytes.Lines(data) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		for _, resource := range md.ResourceMetrics().All() {
			r.add(resource)
		}
	}
}

func (r *podReport) add(resource pmetric.ResourceMetrics) {
	attributes := resource.Resource().Attributes()
	at := podInstance{text(attributes, "k8s.pod.name"), text(attributes, "service.instance.id")}
	r.clusters[at.pod] = text(attributes, "k8s.cluster.name")
	for _, scope := range resource.ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			switch m.Name() {
			case "goroutine.scrape.up":
				for _, p := range m.Gauge().DataPoints().All() {
					if p.IntValue() == 1 && p.Timestamp().AsTime().After(r.scraped[at]) {
						r.scraped[at] = p.Timestamp().AsTime()
					}
				}
			case "goroutine.leak.severity":
				for _, p := range m.Gauge().DataPoints().All() {
					if p.IntValue() < 2 {
						continue
					}
					if r.flagged[at.pod] == nil {
						r.flagged[at.pod] = make(map[string]bool)
					}
					r.flagged[at.pod][placeOf(p.Attributes()).function] = true
				}
			}
		}
	}
}

// hasFlagged reports whether the fastest leak was flagged in each of the pods.
func (r *podReport) hasFlagged(t *testing.T, pods ...string) bool {
	t.Helper()
	r.update(t)
	for _, pod := range pods {
		if !r.flagged[pod][leakyFunctions[0]] {
			return false
		}
	}
	return true
}

// checkHealthy checks that only leaks were flagged.
func (r *podReport) checkHealthy(t *testing.T) {
	t.Helper()
	for pod, functions := range r.flagged {
		for function := range functions {
			assert.Contains(t, leakyFunctions, function, "%s: a healthy function is flagged", pod)
		}
	}
}

// scrapedSince returns a function that reports whether a pod has been scraped after this call.
func (r *podReport) scrapedSince(t *testing.T, pod leakyPod) func() bool {
	t.Helper()
	since := time.Now()
	return func() bool {
		r.update(t)
		return r.scraped[podInstance{pod.name, pod.address}].After(since)
	}
}

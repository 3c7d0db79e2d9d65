package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// tiers has agents that send to detectors, which send to one collector with the findings.
type tiers struct {
	fleet             *fleet
	agents, detectors []*member
	findings          *member
	flags             string // file that findings writes
	folder            string
	stopWide          func()
	sent              int // log records
}

func startTiers(t *testing.T) *tiers {
	t.Helper()
	all := &tiers{fleet: newFleet(t), folder: t.TempDir()}
	otlp := loopback.FreeAddress(t)
	all.flags = filepath.Join(all.folder, "flags.json")
	all.findings = &member{
		otlp: otlp, output: filepath.Join(all.folder, "logs.json"),
		args: []string{"--config", exampleFile("findings.yaml"), "--config", all.write(t, "findings.yaml", findingsOverrides)},
	}
	all.findings.env = []string{
		"OTLP_HTTP_LISTEN=" + otlp, "FLAGS=" + all.flags, "OUTPUT=" + all.findings.output,
		"PAGE_ENDPOINT=" + loopback.FreeAddress(t), "STATE_DIR=" + filepath.Join(all.folder, "findings"),
	}
	all.findings.start(t)
	for range detectors {
		all.startDetector(t)
	}
	for i := range agents {
		otlp, health := loopback.FreeAddress(t), loopback.FreeAddress(t)
		all.agents = append(all.agents, &member{
			otlp:   otlp,
			health: health,
			args: []string{
				"--config", exampleFile("agent.yaml"),
				"--config", all.write(t, fmt.Sprintf("agent-%d.yaml", i), fmt.Sprintf(agentOverrides, all.fleet.targets(t, i))),
			},
			env: []string{
				"OTLP_HTTP_LISTEN=" + otlp, "OTLP_GRPC_LISTEN=" + loopback.FreeAddress(t),
				"HEALTH_ENDPOINT=" + health,
			},
		})
		all.startAgent(t, i)
	}
	return all
}

func exampleFile(name string) string { return filepath.Join("..", "examples", "collector", name) }

// write writes a file and returns its path.
func (s *tiers) write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(s.folder, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// startDetector starts another detector. Agents that are already running do not know it.
func (s *tiers) startDetector(t *testing.T) {
	t.Helper()
	name := fmt.Sprintf("detector-%d", len(s.detectors))
	m := &member{
		otlp:   loopback.FreeAddress(t),
		output: filepath.Join(s.folder, name+".json"),
		state:  filepath.Join(s.folder, name),
		args:   []string{"--config", exampleFile("gateway.yaml"), "--config", s.write(t, "gateway.yaml", gatewayOverrides)},
	}
	m.env = []string{
		"OTLP_GRPC_LISTEN=" + m.otlp, "HEALTH_ENDPOINT=" + loopback.FreeAddress(t),
		"STATE_DIR=" + m.state, "OUTPUT=" + m.output, "OTLP_ENDPOINT=http://" + s.findings.otlp,
	}
	s.detectors = append(s.detectors, m)
	m.start(t)
}

// startAgent starts an agent with all detectors, whose order differs between agents.
func (s *tiers) startAgent(t *testing.T, i int) {
	t.Helper()
	var addresses []string
	for _, d := range s.detectors {
		addresses = append(addresses, d.otlp)
	}
	if i%2 == 1 {
		slices.Reverse(addresses)
	}
	s.agents[i].start(t, "DETECTORS=["+strings.Join(addresses, ",")+"]")
}

// lastSaved returns the detector that saved its state last. If that is too long ago, it waits until a detector saves its
// state again, which each does once a minute.
func (s *tiers) lastSaved(t *testing.T) *member {
	t.Helper()
	var last *member
	await(t, 70*time.Second, "a detector has just saved its state", func() bool {
		last = slices.MaxFunc(s.detectors, func(a, b *member) int { return a.savedAt(t).Compare(b.savedAt(t)) })
		return time.Since(last.savedAt(t)) < mostLost
	})
	return last
}

// addDetector starts another detector, and restarts the agents with the new list one by one, as a
// DaemonSet does when its configuration changes.
func (s *tiers) addDetector(t *testing.T) {
	t.Helper()
	s.startDetector(t)
	for i, agent := range s.agents {
		agent.stop()
		s.startAgent(t, i)
	}
}

// stop stops the agents before the detectors, so that no data is lost.
func (s *tiers) stop() {
	for _, m := range slices.Concat(s.agents, s.detectors, []*member{s.findings}) {
		m.stop()
	}
}

// sendLogs sends a log record of each service, and of each instance of the wide service, to every agent,
// and waits until all have arrived at the detectors.
func (s *tiers) sendLogs(t *testing.T) {
	t.Helper()
	logs := plog.NewLogs()
	add := func() pcommon.Map {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("hello")
		return resource.Resource().Attributes()
	}
	for i := range services {
		add().PutStr(resourceName, serviceName(i))
	}
	for k := range wideInstances {
		wideInstance(k, add())
	}
	body, err := new(plog.JSONMarshaler).MarshalLogs(logs)
	require.NoError(t, err)
	s.sent += agents * logs.LogRecordCount()
	for _, agent := range s.agents {
		agent.awaitReady(t)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+agent.otlp+"/v1/logs", bytes.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	await(t, 30*time.Second, "log records of every service have arrived from both agents", func() bool {
		arrived := 0
		s.records(t, s.detectors, func(_, _ string, record plog.LogRecord) {
			if record.EventName() == "hello" {
				arrived++
			}
		})
		return arrived == s.sent
	})
}

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

// tiers are agents in front of detectors.
type tiers struct {
	fleet             *fleet
	agents, detectors []*member
	behind            *member // all detectors
	flags             string  // file that it writes
	folder            string
	stopWide          func()
	sent              int // log records
}

func startTiers(t *testing.T) *tiers {
	t.Helper()
	all := &tiers{fleet: newFleet(t), folder: t.TempDir()}
	otlp := loopback.FreeAddress(t)
	all.flags = filepath.Join(all.folder, "flags.json")
	all.behind = &member{
		otlp: otlp, output: filepath.Join(all.folder, "events.json"),
		args: []string{"--config", all.write(t, "behind.yaml", behindAll)},
	}
	all.behind.env = []string{"OTLP_HTTP_LISTEN=" + otlp, "FLAGS=" + all.flags, "OUTPUT=" + all.behind.output}
	all.behind.start(t)
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
				"--config", all.write(t, fmt.Sprintf("over-agent-%d.yaml", i), fmt.Sprintf(overAgent, all.fleet.targets(t, i))),
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

// write writes a file for the collectors.
func (s *tiers) write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(s.folder, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// startDetector starts one more detector, of which the agents do not know yet.
func (s *tiers) startDetector(t *testing.T) {
	t.Helper()
	name := fmt.Sprintf("detector-%d", len(s.detectors))
	m := &member{
		otlp:   loopback.FreeAddress(t),
		output: filepath.Join(s.folder, name+".json"),
		state:  filepath.Join(s.folder, name),
		args:   []string{"--config", exampleFile("gateway.yaml"), "--config", s.write(t, "over-gateway.yaml", overGateway)},
	}
	m.env = []string{
		"OTLP_GRPC_LISTEN=" + m.otlp, "HEALTH_ENDPOINT=" + loopback.FreeAddress(t),
		"STATE_DIR=" + m.state, "OUTPUT=" + m.output, "OTLP_ENDPOINT=http://" + s.behind.otlp,
	}
	s.detectors = append(s.detectors, m)
	m.start(t)
}

// startAgent starts an agent, with the detectors that there are. Their order is of no importance.
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

// addDetector starts one more detector, and restarts the agents with the new list, one after the
// other, as a DaemonSet does whose configuration has changed.
func (s *tiers) addDetector(t *testing.T) {
	t.Helper()
	s.startDetector(t)
	for i, agent := range s.agents {
		agent.stop()
		s.startAgent(t, i)
	}
}

// stop ends the agents before the detectors, so that nothing is under way.
func (s *tiers) stop() {
	for _, m := range slices.Concat(s.agents, s.detectors, []*member{s.behind}) {
		m.stop()
	}
}

// sendLogs sends a log record of each service, and of each instance of the wide one, to every
// agent, and waits until all have come to a detector.
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
	await(t, 30*time.Second, "logs of every service have come through both agents", func() bool {
		arrived := 0
		s.records(t, s.detectors, func(_, _ string, record plog.LogRecord) {
			if record.EventName() == "hello" {
				arrived++
			}
		})
		return arrived == s.sent
	})
}

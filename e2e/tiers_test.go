package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

const (
	agents       = 2
	detectors    = 3
	services     = 20
	perService   = 5
	eachLeaking  = 3 // every third service leaks
	lateService  = "service-01"
	resourceName = "service.name"
)

// overAgent shortens the times of examples/collector/agent.yaml, and sets its targets.
const overAgent = `
receivers:
  goroutine:
    endpoint: ""
    collection_interval: 1s
    aged_after: 5s
    origins: {enabled: false}
    targets: %s
processors:
  batch:
    timeout: 1s
service:
  telemetry:
    metrics: {level: none}
`

// overGateway shortens those of gateway.yaml, and writes its logs to a file. Its metrics go
// to the connector alone.
const overGateway = `
processors:
  leak_detect: {min_duration: 15s, max_lifetime: 1m}
exporters:
  file:
    path: ${env:OUTPUT}
    append: true
    flush_interval: 100ms
service:
  pipelines:
    metrics:
      exporters: [leak_events]
    logs:
      exporters: [file]
  telemetry:
    metrics: {level: none}
`

// TestTiersTellEveryLeakOnce runs agents and detectors by their examples, with instances of
// each service at every agent. A detector is killed and comes back, an agent restarts, and
// then one more service begins to leak.
func TestTiersTellEveryLeakOnce(t *testing.T) {
	t.Parallel()
	tiers := startTiers(t)
	leaking := make(map[string]bool)
	for i := range services {
		if i%eachLeaking == 0 {
			leaking[serviceName(i)] = true
		}
	}
	await(t, 100*time.Second, "every leak is probable", func() bool { return tiers.probable(t, leaking) })
	tiers.sendLogs(t)
	await(t, 30*time.Second, "logs of every service have come through both agents", func() bool { return tiers.logsArrived(t) })

	// A crash may cost a minute of evidence: a thirtieth of the default min_duration, but four
	// times the one here. So it comes when little is to be lost.
	tiers.detectors[1].awaitKept(t)
	tiers.detectors[1].kill(t)
	tiers.agents[0].stop()
	tiers.agents[0].start(t)
	scraped := tiers.fleet.traces()
	await(t, 60*time.Second, "data was sent that a detector is not there to take", func() bool {
		return tiers.fleet.traces() >= scraped+3*services*perService
	})
	tiers.detectors[1].start(t)
	tiers.fleet.leak(lateService)
	leaking[lateService] = true
	await(t, 100*time.Second, "the late leak is probable", func() bool { return tiers.probable(t, leaking) })
	tiers.stop()

	told := tiers.told(t)
	assert.Len(t, told, len(leaking), "services of which something is told")
	for service, changes := range told {
		assert.True(t, leaking[service], "%s is healthy", service)
		assert.Equal(t, 1, count(changes, "detected"), "%s: %v", service, changes)
		for _, over := range []string{"ended", "lowered", "closed_by_version", "regressed"} {
			assert.NotContains(t, changes, over, service)
		}
	}
	at := tiers.detectorsOf(t)
	used := make(map[string]bool)
	for service, detector := range at {
		assert.Len(t, detector, 1, "%s is judged by one detector, metrics and logs alike", service)
		used[detector[0]] = true
	}
	assert.Len(t, at, services)
	assert.Len(t, used, detectors, "detectors that have services")
}

func serviceName(i int) string { return fmt.Sprintf("service-%02d", i) }

func count(values []string, value string) (n int) {
	for _, v := range values {
		if v == value {
			n++
		}
	}
	return n
}

// tiers are agents in front of detectors.
type tiers struct {
	fleet             *fleet
	agents, detectors []*member
}

func startTiers(t *testing.T) *tiers {
	t.Helper()
	folder, all := t.TempDir(), &tiers{fleet: newFleet(t)}
	example := func(name string) string { return filepath.Join("..", "examples", "collector", name) }
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	over := write("over-gateway.yaml", overGateway)
	var addresses []string
	for i := range detectors {
		address, output := loopback.FreeAddress(t), filepath.Join(folder, fmt.Sprintf("detector-%d.json", i))
		state := filepath.Join(folder, fmt.Sprintf("state-%d", i))
		addresses = append(addresses, address)
		all.detectors = append(all.detectors, &member{
			output: output,
			state:  state,
			args:   []string{"--config", example("gateway.yaml"), "--config", over},
			env: []string{
				"OTLP_GRPC_LISTEN=" + address, "HEALTH_ENDPOINT=" + loopback.FreeAddress(t),
				"STATE_DIR=" + state, "OUTPUT=" + output,
			},
		})
	}
	for i := range agents {
		over, otlp := write(fmt.Sprintf("over-agent-%d.yaml", i), fmt.Sprintf(overAgent, all.fleet.targets(t, i))), loopback.FreeAddress(t)
		all.agents = append(all.agents, &member{
			otlp: otlp,
			args: []string{"--config", example("agent.yaml"), "--config", over},
			env: []string{
				"DETECTORS=[" + strings.Join(addresses, ",") + "]", "OTLP_HTTP_LISTEN=" + otlp,
				"OTLP_GRPC_LISTEN=" + loopback.FreeAddress(t), "HEALTH_ENDPOINT=" + loopback.FreeAddress(t),
			},
		})
		slices.Reverse(addresses) // the order is of no importance
	}
	for _, m := range slices.Concat(all.detectors, all.agents) {
		m.start(t)
	}
	return all
}

// stop ends the agents before the detectors, so that nothing is under way.
func (s *tiers) stop() {
	for _, m := range slices.Concat(s.agents, s.detectors) {
		m.stop()
	}
}

// sendLogs sends a log record of each service to every agent.
func (s *tiers) sendLogs(t *testing.T) {
	t.Helper()
	logs := plog.NewLogs()
	for i := range services {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr(resourceName, serviceName(i))
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("hello")
	}
	body, err := new(plog.JSONMarshaler).MarshalLogs(logs)
	require.NoError(t, err)
	for _, agent := range s.agents {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+agent.otlp+"/v1/logs", bytes.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
}

// logsArrived tells whether a record of every service has come from every agent.
func (s *tiers) logsArrived(t *testing.T) bool {
	t.Helper()
	arrived := 0
	s.records(t, func(_, _ string, record plog.LogRecord) {
		if record.EventName() == "hello" {
			arrived++
		}
	})
	return arrived == agents*services
}

// told returns the changes that were told of the leak of each service, in their order.
func (s *tiers) told(t *testing.T) map[string][]string {
	t.Helper()
	changes := make(map[string][]string)
	s.records(t, func(_, service string, record plog.LogRecord) {
		if record.EventName() == "goroutine.leak" {
			changes[service] = append(changes[service], text(record.Attributes(), "goroutine.leak.change"))
		}
	})
	return changes
}

// probable tells whether a leak of each of the services was told to be probable.
func (s *tiers) probable(t *testing.T, of map[string]bool) bool {
	t.Helper()
	probable := make(map[string]bool)
	s.records(t, func(_, service string, record plog.LogRecord) {
		if record.EventName() == "goroutine.leak" && record.SeverityNumber() == plog.SeverityNumberWarn {
			probable[service] = true
		}
	})
	for service := range of {
		if !probable[service] {
			return false
		}
	}
	return true
}

// detectorsOf returns the detectors that have told anything of each service.
func (s *tiers) detectorsOf(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	s.records(t, func(detector, service string, _ plog.LogRecord) {
		if !slices.Contains(found[service], detector) {
			found[service] = append(found[service], detector)
		}
	})
	return found
}

// records calls do with every log record that a detector has written.
func (s *tiers) records(t *testing.T, do func(detector, service string, record plog.LogRecord)) {
	t.Helper()
	for _, detector := range s.detectors {
		data, err := os.ReadFile(detector.output)
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing has been written yet
		}
		require.NoError(t, err)
		for line := range bytes.Lines(data[:bytes.LastIndexByte(data, '\n')+1]) { // the last is not yet whole
			logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
			require.NoError(t, err)
			for _, resource := range logs.ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					for _, record := range scope.LogRecords().All() {
						do(detector.output, text(resource.Resource().Attributes(), resourceName), record)
					}
				}
			}
		}
	}
}

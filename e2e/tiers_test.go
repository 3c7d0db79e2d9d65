package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const (
	agents       = 2
	detectors    = 3
	services     = 20
	perService   = 5
	leakyEvery   = 3 // every third service leaks
	lateService  = "service-01"
	resourceName = "service.name"

	// maxFlagGap is the longest gap in the flags of a service that stays at its detector. It is the time in
	// which a fast leak is detected: aged_after and min_duration.
	maxFlagGap = 20 * time.Second
	// mostLost is the most evidence that the killed detector may lose.
	mostLost = 5 * time.Second
	// maxFlagGapMoved is the same for a service that moves to another detector, with two restarts of agents
	// and a busy machine.
	maxFlagGapMoved = 3 * maxFlagGap
)

// agentOverrides shortens the times of examples/collector/agent.yaml, and sets its targets.
const agentOverrides = `
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

// gatewayOverrides shortens the times of gateway.yaml, and writes its logs to a file as well.
const gatewayOverrides = `
processors:
  leak_detect: {min_duration: 15s, max_lifetime: 1m}
  batch: {timeout: 1s}
exporters:
  file:
    path: ${env:OUTPUT}
    append: true
    flush_interval: 100ms
service:
  pipelines:
    logs:
      exporters: [file, otlp_http]
  telemetry:
    metrics: {level: none}
`

// findingsOverrides has findings.yaml write flags to one file, and all log records to another.
const findingsOverrides = `
processors:
  filter/flags: {metrics: {metric: ['not IsMatch(name, "^goroutine.leak.(service.)?severity$")']}}
exporters:
  file/flags: {path: "${env:FLAGS}", flush_interval: 100ms}
  file/logs: {path: "${env:OUTPUT}", flush_interval: 100ms}
service:
  pipelines:
    metrics: {exporters: [leak_events, leak_page]}
    metrics/flags: {receivers: [otlp], processors: [filter/flags], exporters: [file/flags]}
    logs/detectors: {exporters: [file/logs]}
    logs: {exporters: [file/logs]}
  telemetry:
    metrics: {level: none}
`

// TestTiersReportEveryLeakOnce runs agents and detectors with the example configurations. Each agent
// scrapes instances of every service. A detector is killed and started again, an agent restarts, a detector
// is added, and another service starts to leak.
func TestTiersReportEveryLeakOnce(t *testing.T) {
	t.Parallel()
	tiers := startTiers(t)
	tiers.pushWide(t)
	leaking := map[string]bool{wideService: true}
	for i := range services {
		if i%leakyEvery == 0 {
			leaking[serviceName(i)] = true
		}
	}
	began := time.Now()
	await(t, 100*time.Second, "every leak is probable", func() bool { return tiers.probable(t, tiers.detectors, leaking) })
	t.Logf("every leak was probable after %.1f s", time.Since(began).Seconds())
	await(t, 100*time.Second, "every instance of the wide service is flagged", func() bool {
		return tiers.flaggedInstances(t, wideService) >= wideInstances
	})
	tiers.sendLogs(t)
	used := make(map[string]bool)
	for service, detectors := range tiers.detectorsOf(t) {
		assert.Len(t, detectors, 1, "%s: metrics and logs go to one detector", service)
		used[detectors[0]] = true
	}
	assert.Len(t, used, detectors, "detectors that have services")
	tiers.stopWide()
	delete(leaking, wideService) // its flag ends with its data

	// A crash loses the evidence since the last save, up to a minute, which is four times the min_duration of this
	// test. Detectors also save their state when they report a leak, so usually one of them has just done so.
	killed := tiers.lastSaved(t)
	killed.kill(t)
	tiers.agents[0].stop()
	tiers.startAgent(t, 0)
	scraped := tiers.fleet.traces()
	await(t, 60*time.Second, "data was sent while a detector was down", func() bool {
		return tiers.fleet.traces() >= scraped+3*services*perService
	})
	killed.start(t)
	back := time.Now()
	await(t, 60*time.Second, "every leaking service is flagged again", func() bool { return tiers.flaggedSince(t, back, leaking) })

	moved := make(map[string]bool)                          // leaking services
	for added := 0; len(moved) == 0 && added < 5; added++ { // one detector suffices in nine of ten cases
		tiers.addDetector(t)
		tiers.sendLogs(t)
		for service, detectors := range tiers.detectorsOf(t) {
			if len(detectors) > 1 && leaking[service] {
				moved[service] = true
			}
		}
	}
	t.Logf("%d detectors; leaking services that moved to the last: %v", len(tiers.detectors), moved)
	tiers.fleet.leak(lateService)
	leaking[lateService] = true
	await(t, 100*time.Second, "leaks that moved are probable at the new detector", func() bool {
		return tiers.probable(t, tiers.detectors[len(tiers.detectors)-1:], moved)
	})
	await(t, 100*time.Second, "the late leak is probable", func() bool { return tiers.probable(t, tiers.detectors, leaking) })
	tiers.stop()

	events := tiers.leakEvents(t, tiers.detectors)
	leaking[wideService] = true
	assert.Len(t, events, len(leaking), "services with events")
	for service, ofService := range events {
		assert.True(t, leaking[service], "%s is healthy", service)
		want := 1
		if moved[service] {
			want = 2 // once by each detector
		}
		checkEvents(t, service, ofService, want)
	}
	events = tiers.leakEvents(t, []*member{tiers.findings})
	assert.Len(t, events, len(leaking), "services with events behind all detectors")
	for service, ofService := range events {
		checkEvents(t, service, ofService, 1)
	}
	for service, times := range tiers.flagged(t) {
		gap, most := longestGap(times), maxFlagGap
		if moved[service] {
			most = maxFlagGapMoved
		}
		t.Logf("%s (moved: %v) was without a flag for %.1f s", service, moved[service], gap.Seconds())
		assert.LessOrEqual(t, gap, most, service)
	}
}

// checkEvents checks that the leak of a service was detected so many times, under one ID, and that no
// event says that it has ended.
func checkEvents(t *testing.T, service string, events []leakEvent, detected int) {
	t.Helper()
	found := 0
	for _, event := range events {
		assert.Equal(t, events[0].id, event.id, service)
		assert.NotContains(t, []string{"ended", "lowered", "closed_by_version", "regressed"}, event.change, service)
		if event.change == "detected" {
			found++
		}
	}
	assert.Equal(t, detected, found, "%s: %v", service, events)
}

func serviceName(i int) string { return fmt.Sprintf("service-%02d", i) }

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
	eachLeaking  = 3 // every third service leaks
	lateService  = "service-01"
	resourceName = "service.name"

	// foundWithin is what a fast leak takes to be found: aged_after and min_duration. No flag of a
	// service that stays is lost for longer.
	foundWithin = 20 * time.Second
	// foundAgainWithin is the same where it has moved to another detector, with two restarts of
	// agents and a busy machine.
	foundAgainWithin = 3 * foundWithin
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

// overGateway shortens those of gateway.yaml, and writes its logs to a file.
const overGateway = `
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
      exporters: [file]
  telemetry:
    metrics: {level: none}
`

// behindAll is a collector to which all detectors send what they have judged. It writes flags to
// one file, and events to another.
const behindAll = `
receivers:
  otlp: {protocols: {http: {endpoint: "${env:OTLP_HTTP_LISTEN}"}}}
processors:
  filter: {metrics: {metric: ['not IsMatch(name, "^goroutine.leak.(service.)?severity$")']}}
connectors:
  leak_events:
exporters:
  file/flags: {path: "${env:FLAGS}", flush_interval: 100ms}
  file/events: {path: "${env:OUTPUT}", flush_interval: 100ms}
service:
  pipelines:
    metrics: {receivers: [otlp], exporters: [leak_events]}
    metrics/flags: {receivers: [otlp], processors: [filter], exporters: [file/flags]}
    logs: {receivers: [leak_events], exporters: [file/events]}
  telemetry:
    metrics: {level: none}
`

// TestTiersTellEveryLeakOnce runs agents and detectors by their examples, with instances of
// each service at every agent. A detector is killed and comes back, an agent restarts, a detector
// is added, and one more service begins to leak.
func TestTiersTellEveryLeakOnce(t *testing.T) {
	t.Parallel()
	tiers := startTiers(t)
	tiers.pushWide(t)
	leaking := map[string]bool{wideService: true}
	for i := range services {
		if i%eachLeaking == 0 {
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
		assert.Len(t, detectors, 1, "%s is judged by one detector, metrics and logs alike", service)
		used[detectors[0]] = true
	}
	assert.Len(t, used, detectors, "detectors that have services")
	tiers.stopWide()
	delete(leaking, wideService) // its flag ends with its data

	// A crash may cost a minute of evidence: a thirtieth of the default min_duration, but four
	// times the one here. So it comes when little is to be lost.
	tiers.detectors[1].awaitKept(t)
	tiers.detectors[1].kill(t)
	tiers.agents[0].stop()
	tiers.startAgent(t, 0)
	scraped := tiers.fleet.traces()
	await(t, 60*time.Second, "data was sent that a detector is not there to take", func() bool {
		return tiers.fleet.traces() >= scraped+3*services*perService
	})
	tiers.detectors[1].start(t)
	back := time.Now()
	await(t, 60*time.Second, "flags of every service go on", func() bool { return tiers.flaggedSince(t, back, leaking) })

	moved := make(map[string]bool)                          // services with a leak
	for added := 0; len(moved) == 0 && added < 5; added++ { // one is enough in nine of ten cases
		tiers.addDetector(t)
		tiers.sendLogs(t)
		for service, detectors := range tiers.detectorsOf(t) {
			if len(detectors) > 1 && leaking[service] {
				moved[service] = true
			}
		}
	}
	t.Logf("%d detectors, to the last of which leaks have moved: %v", len(tiers.detectors), moved)
	tiers.fleet.leak(lateService)
	leaking[lateService] = true
	await(t, 100*time.Second, "leaks that moved are probable where they are now", func() bool {
		return tiers.probable(t, tiers.detectors[len(tiers.detectors)-1:], moved)
	})
	await(t, 100*time.Second, "the late leak is probable", func() bool { return tiers.probable(t, tiers.detectors, leaking) })
	tiers.stop()

	told := tiers.told(t, tiers.detectors)
	leaking[wideService] = true
	assert.Len(t, told, len(leaking), "services of which something is told")
	for service, leaks := range told {
		assert.True(t, leaking[service], "%s is healthy", service)
		want := 1
		if moved[service] {
			want = 2 // once by each detector
		}
		checkTold(t, service, leaks, want)
	}
	told = tiers.told(t, []*member{tiers.behind})
	assert.Len(t, told, len(leaking), "services of which something is told behind all detectors")
	for service, leaks := range told {
		checkTold(t, service, leaks, 1)
	}
	for service, times := range tiers.flagged(t) {
		gap, most := longestGap(times), foundWithin
		if moved[service] {
			most = foundAgainWithin
		}
		t.Logf("%s (moved: %v) was without a flag for %.1f s", service, moved[service], gap.Seconds())
		assert.LessOrEqual(t, gap, most, service)
	}
}

// checkTold checks that the leak of a service was detected so many times, under one ID, and that
// nothing else was told that would say it was over.
func checkTold(t *testing.T, service string, leaks []toldLeak, detected int) {
	t.Helper()
	found := 0
	for _, leak := range leaks {
		assert.Equal(t, leaks[0].id, leak.id, service)
		assert.NotContains(t, []string{"ended", "lowered", "closed_by_version", "regressed"}, leak.change, service)
		if leak.change == "detected" {
			found++
		}
	}
	assert.Equal(t, detected, found, "%s: %v", service, leaks)
}

func serviceName(i int) string { return fmt.Sprintf("service-%02d", i) }

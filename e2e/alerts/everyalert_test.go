package alerts

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryOtherAlertReachesThePager checks that each alert, except that of a probable leak, fires
// and resolves with its cause. Services just below the limits, and healthy ones, cause no alert.
func TestEveryOtherAlertReachesThePager(t *testing.T) {
	// Build before t.Parallel: the standard library may have to be compiled.
	service := build(t, "service", "GOEXPERIMENT=goroutineleakprofile")
	t.Parallel()
	e := newEnvironment(t, service)
	pages := e.pages(t)

	begin := time.Now()
	e.startFaults(t)
	for _, p := range pages {
		at := e.awaitHistory(t, p, firing)
		t.Logf("%s: at the webhook after %.1f s", p, at.Sub(begin).Seconds())
		p.check(t, e.history(p)[0])
	}
	assert.ElementsMatch(t, pagesAboveInfo(pages), e.receivedAboveInfo(), "exactly the expected alerts")

	begin = time.Now()
	e.removeFaults(t)
	for _, p := range pages {
		at := e.awaitHistory(t, p, firing, resolved)
		t.Logf("%s: resolved after %.1f s", p, at.Sub(begin).Seconds())
		notifications := e.history(p)
		assert.Equal(t, notifications[0].Labels, notifications[1].Labels, "labels of the firing and the resolved alert")
	}

	begin = time.Now()
	e.stop()
	e.collector.end(syscall.SIGTERM)
	e.small.end(syscall.SIGTERM)
	for _, p := range e.pagesWithoutCollectors() {
		at := e.awaitHistory(t, p, firing)
		t.Logf("%s: at the webhook %.1f s after the collectors", p, at.Sub(begin).Seconds())
		p.check(t, e.history(p)[0])
	}
}

// pagesWithoutCollectors returns the expected alerts after both collectors have stopped: one for the
// collector whose internal metrics are scraped, and one for each service.
func (e *environment) pagesWithoutCollectors() []page {
	address := regexp.QuoteMeta(e.small.metrics)
	pages := []page{{
		alertname:   "GoroutineCollectorDown",
		labels:      map[string]string{"severity": "warning", "job": "collector", "instance": address},
		summary:     `The collector ` + address + ` is down\.`,
		description: `Prometheus has not reached collector at ` + address + ` for 15s\. Leaks of the services that it watches are not detected, and alerts about them end although nothing is repaired\.`,
		runbook:     "deploy/prometheus/README.md#goroutinecollectordown",
		dashboard:   "fleet",
	}}
	for _, service := range []string{"busy", "crowded", "down", "proved"} {
		pages = append(pages, page{
			alertname:   "GoroutineDataMissing",
			labels:      map[string]string{"severity": "warning", "service_name": service},
			summary:     `Goroutine metrics of ` + service + ` are missing\.`,
			description: `No collector and no instance of ` + service + ` has sent its goroutine metrics for 15s\. .*`,
			runbook:     "deploy/prometheus/README.md#goroutinedatamissing",
			dashboard:   "fleet" + dashboardQuery(service),
		})
	}
	return pages
}

// dashboardQuery returns the query of a dashboard link that selects a service.
func dashboardQuery(name string) string {
	return "?var-cluster=&var-deployment_environment_name=&var-k8s_cluster_name=&var-k8s_namespace_name=&var-service_namespace=&var-service=" + name
}

// page is an expected alert. Labels and texts are regular expressions that match the whole value.
// An alert has no other labels.
type page struct {
	alertname            string
	labels               map[string]string
	summary, description string
	runbook, dashboard   string // literal
}

func (p page) String() string { return nameOf(p.alertname, p.labels) }

// nameOf returns the name of the alert and of its service.
func nameOf(alertname string, labels map[string]string) string {
	return strings.TrimSpace(alertname + " " + labels["service_name"])
}

func (p page) check(t *testing.T, a alert) {
	t.Helper()
	labels := maps.Clone(p.labels)
	labels["alertname"], labels["via"] = p.alertname, byScraping
	assertMatches(t, labels, a.Labels)
	assertMatches(t, map[string]string{
		"summary":       p.summary,
		"description":   p.description,
		"runbook_url":   ".*/blob/main/" + regexp.QuoteMeta(p.runbook),
		"dashboard_url": `http://127\.0\.0\.1:3000/d/otel-goroutine-` + regexp.QuoteMeta(p.dashboard),
	}, a.Annotations)
	checkRunbook(t, a.Annotations["runbook_url"])
}

// assertMatches checks each value against the regular expression of the same key.
func assertMatches(t *testing.T, want, got map[string]string) {
	t.Helper()
	assert.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
	for name, whole := range want {
		assert.Regexp(t, "^(?:"+whole+")$", got[name], name)
	}
}

// pages returns the expected alerts for all services.
func (e *environment) pages(t *testing.T) []page {
	t.Helper()
	down, small := regexp.QuoteMeta(e.down.address), regexp.QuoteMeta(e.small.metrics)
	return []page{
		leakPage("GoroutineLeakConfirmed", "critical", "proved", "leaks goroutines", "confirmed by the runtime", "can never exit", `main\.awaitReply \(.*/e2e/alerts/service/leak\.go:`+leakLine(t)+`\)`),
		leakPage("GoroutineLeakSuspected", "info", "unsure", "may leak goroutines", "suspected", "have accumulated and may not exit", `main\.maybe \(/src/unsure/maybe\.go:7\)`),
		{
			alertname:   "MemoryLeakProbable",
			labels:      map[string]string{"severity": "warning", "service_name": "hoard", "memory_leak_metric": `go\.memory\.used`, "go_memory_type": "other"},
			summary:     `hoard leaks memory \(probable\): go\.memory\.used\.`,
			description: `go\.memory\.used \(other\) of hoard keeps growing\. [0-9.]+GiB are believed leaked, of [0-9.]+GiB of Go memory in all\. Grows by [0-9.]+MiB an hour, to [0-9.]+GiB by this time tomorrow\. Affects 1 instance: hoard-1 \([0-9.]+GiB\)\. First: .*`,
			runbook:     "deploy/prometheus/README.md#memoryleakprobable",
			dashboard:   "service" + dashboardQuery("hoard"),
		},
		limitPage("GoroutineCountHigh", "warning", "crowded", "1000 goroutines", "11[0-9]{2}", "deploy/prometheus/README.md#goroutinecounthigh"),
		limitPage("GoMemoryHigh", "info", "large", "100 MiB of Go memory", "120MiB", "deploy/prometheus/README.md#gomemoryhigh"),
		limitPage("GoMemoryHigh", "info", "hoard", "100 MiB of Go memory", "[0-9.]+GiB", "deploy/prometheus/README.md#gomemoryhigh"),
		{
			alertname:   "GoroutineTargetDown",
			labels:      map[string]string{"severity": "warning", "service_name": "down", "service_instance_id": down},
			summary:     `The profiles of down cannot be scraped\.`,
			description: down + ` of down has not been scraped for 15s \(connection\)\. Its leaks are not detected\.`,
			runbook:     "deploy/prometheus/README.md#goroutinetargetdown",
			dashboard:   "fleet" + dashboardQuery("down"),
		},
		{
			alertname:   "GoroutineServiceNameMissing",
			labels:      map[string]string{"severity": "warning", "job": "collector"},
			summary:     `Goroutine metrics arrive without a service name\.`,
			description: `1 series of the job collector have had no label service_name, or the value unknown_service, for 15s\. Alerts and dashboards cannot tell which service leaks\.`,
			runbook:     "deploy/prometheus/README.md#goroutineservicenamemissing",
			dashboard:   "fleet",
		},
		{
			alertname:   "GoroutineDetectorBadPoints",
			labels:      map[string]string{"severity": "warning", "job": "collector", "instance": small, "reason": "type"},
			summary:     `The detector of ` + small + ` receives points that it cannot judge \(type\)\.`,
			description: `[1-9][0-9]* points could not be judged by collector at ` + small + ` in 15s: type\. Leaks in them are not detected\.`,
			runbook:     "deploy/prometheus/README.md#goroutinedetectorbadpoints",
			dashboard:   "fleet",
		},
		{
			alertname:   "GoroutineDetectorUnwatchedStreams",
			labels:      map[string]string{"severity": "warning", "job": "collector", "instance": small},
			summary:     `The detector of ` + small + ` has reached max_streams\.`,
			description: `[1-9][0-9]* points passed through collector at ` + small + ` unwatched in 15s\. Leaks in them are not detected\.`,
			runbook:     "deploy/prometheus/README.md#goroutinedetectorunwatchedstreams",
			dashboard:   "fleet",
		},
		{
			alertname:   "GoroutineDiscoveryFailing",
			labels:      map[string]string{"severity": "warning", "job": "collector", "instance": small, "source": "file_sd"},
			summary:     `The receiver of ` + small + ` cannot read its lists of targets \(file_sd\)\.`,
			description: `collector at ` + small + ` has failed to read targets from file_sd for 15s \(failing lists: 1\)\. .*`,
			runbook:     "deploy/prometheus/README.md#goroutinediscoveryfailing",
			dashboard:   "fleet",
		},
	}
}

// leakPage returns the alert for a leak of goroutines that wait for a reply.
func leakPage(alertname, severity, service, leaks, certainty, leaked, place string) page {
	return page{
		alertname: alertname,
		labels: map[string]string{
			"severity":          severity,
			"service_name":      service,
			"goroutine_leak_id": "[0-9a-f]{16}",
		},
		summary:     fmt.Sprintf(`%s %s \(%s\): %s, state chan_receive\.`, service, leaks, certainty, place),
		description: leakDescription(service, leaked, place+", state chan_receive", "1 of 1 instance") + ".*",
		runbook:     "docs/leaks/chan_receive.md",
		dashboard:   "service" + dashboardQuery(service),
	}
}

// limitPage returns the alert for an instance above a limit.
func limitPage(alertname, severity, service, limit, now, runbook string) page {
	return page{
		alertname:   alertname,
		labels:      map[string]string{"severity": severity, "service_name": service},
		summary:     fmt.Sprintf(`%s has more than %s\.`, service, limit),
		description: fmt.Sprintf(`The largest instance of %s has had more than %s for 15s, and has %s now\.`, service, limit, now),
		runbook:     runbook,
		dashboard:   "service" + dashboardQuery(service),
	}
}

// history returns the notifications for an alert, oldest first.
func (e *environment) history(p page) []alert {
	return e.all(func(a alert) bool { return nameOf(a.Labels["alertname"], a.Labels) == p.String() })
}

// awaitHistory waits for the notifications of an alert, checks their statuses and returns the time
// of the last one.
func (e *environment) awaitHistory(t *testing.T, p page, want ...string) time.Time {
	t.Helper()
	await(t, toTheWebhook, fmt.Sprint(p, ": ", want), func() bool { return len(e.history(p)) >= len(want) })
	notifications := e.history(p)
	require.Equal(t, want, statuses(notifications), p)
	return notifications[len(notifications)-1].at
}

// receivedAboveInfo returns the names of the received alerts whose severity is above info.
func (e *environment) receivedAboveInfo() []string {
	var names []string
	for _, a := range e.all(func(a alert) bool { return a.Labels["severity"] != "info" }) {
		names = append(names, nameOf(a.Labels["alertname"], a.Labels))
	}
	return names
}

func pagesAboveInfo(pages []page) []string {
	var names []string
	for _, p := range pages {
		if p.labels["severity"] != "info" {
			names = append(names, p.String())
		}
	}
	return names
}

package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// toTheWebhook is the longest time from the first leaked goroutine to the notification at this scale.
const toTheWebhook = 60 * time.Second

// rig has everything from the collector to the webhook.
type rig struct {
	*webhook
	alertmanager *alertmanager
	scraping     *backend
	writtenTo    *backend
	backends     map[string]*backend // each Prometheus, by the value of its label via
	collector    *collectorProcess
	service      string // path of the service binary
	rules        string // path of the rules
}

// newRig starts everything except the collector, which needs its targets.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		service:   build(t, "service"),
		collector: newCollector(t),
		webhook:   startWebhook(t),
		rules:     renderRules(t, defaultNaming),
	}
	r.alertmanager = startAlertmanager(t, r.URL)
	r.scraping = startPrometheus(t, byScraping, r.rules, r.alertmanager.address, r.collector.metrics)
	r.writtenTo = startPrometheus(t, byRemoteWrite, r.rules, r.alertmanager.address)
	r.backends = map[string]*backend{byScraping: r.scraping, byRemoteWrite: r.writtenTo}
	return r
}

// addOTLP adds a Prometheus that accepts OTLP, and returns it, or nil if it is not installed.
func (r *rig) addOTLP(t *testing.T) []*backend {
	t.Helper()
	if !hasOTLPPrometheus(t) {
		return nil
	}
	b := startOTLPPrometheus(t, defaultNaming, r.rules, r.alertmanager.address)
	r.backends[byOTLP] = b
	return []*backend{b}
}

// awaitHistory waits for the notifications of a service, checks their statuses and returns the time of
// the last one.
func (r *rig) awaitHistory(t *testing.T, timeout time.Duration, service, via string, want ...string) time.Time {
	t.Helper()
	await(t, timeout, fmt.Sprint(service, " by ", via, ": ", want), func() bool {
		return len(r.history(service, via)) >= len(want)
	})
	notifications := r.history(service, via)
	require.Equal(t, want, statuses(notifications))
	return notifications[len(notifications)-1].at
}

// TestFromLeakToPager runs a leaking service with two replicas among 20 healthy services, whose load
// varies, which crash, and which are deployed anew.
func TestFromLeakToPager(t *testing.T) {
	t.Parallel()
	r, second := newRig(t), startVictoriaMetrics(t)
	pushTo := append(r.addOTLP(t), r.writtenTo, second)
	healthy, cart := startFleet(t, r.service), newLeaky(t, "cart", 2)
	r.collector.watch(t, append(cart.targets, healthy.targets...), pushTo...)
	stop := healthy.churn(t)

	begin := time.Now()
	cart.start(t, r.service)
	for via := range r.backends {
		at := r.awaitHistory(t, toTheWebhook-time.Since(begin), "cart", via, firing)
		t.Logf("by %s: at the webhook %.1f s after the first leaked goroutine", via, at.Sub(begin).Seconds())
		checkAlert(t, r.history("cart", via)[0], "cart", "[12] of [12] instances?")
	}
	compareBackends(t, r.writtenTo, second)

	begin = time.Now()
	cart.deploy(t, repaired)
	for via := range r.backends {
		at := r.awaitHistory(t, time.Minute, "cart", via, firing, resolved)
		t.Logf("by %s: resolved %.1f s after the repair", via, at.Sub(begin).Seconds())
		notifications := r.history("cart", via)
		assert.Equal(t, notifications[0].Labels, notifications[1].Labels, "labels of the firing and the resolved alert")
	}
	await(t, time.Minute, "a new release of every service", func() bool {
		return len(r.scraping.query(t, `group by (service_name) (goroutine_entry_count{goroutine_entry_function_name="main.sessionSecond"})`)) == fleetSize
	})
	stop()
	checkNoOtherAlerts(t, r)
}

// compareBackends checks that two backends have the same series of the leak.
func compareBackends(t *testing.T, a, b *backend) {
	t.Helper()
	const leaks = `{__name__=~"goroutine_leak_(severity|count|growth_rate_per_hour)",service_name="cart"}`
	var want []series
	await(t, 20*time.Second, "series of both replicas in both backends", func() bool {
		want = a.query(t, leaks)
		return len(want) == 6 && len(b.query(t, leaks)) == len(want)
	})
	assert.ElementsMatch(t, labels(want), labels(b.query(t, leaks)))
}

func labels(all []series) []map[string]string {
	var sets []map[string]string
	for _, s := range all {
		sets = append(sets, s.Metric)
	}
	return sets
}

// checkNoOtherAlerts checks that no alert above info is about anything but the leak, at the webhook and in
// each Prometheus.
func checkNoOtherAlerts(t *testing.T, r *rig) {
	t.Helper()
	for _, a := range r.all(func(a alert) bool { return a.Labels["severity"] != "info" }) {
		assert.Equal(t, "cart", a.Labels["service_name"], "%v", a)
	}
	for _, b := range r.backends {
		fired := map[string]bool{}
		for _, s := range b.query(t, `count by (alertname, service_name) (count_over_time(ALERTS{alertstate="firing",severity!="info"}[10m]))`) {
			fired[s.Metric["alertname"]+" "+s.Metric["service_name"]] = true
		}
		assert.Equal(t, []string{"GoroutineLeakProbable cart"}, slices.Collect(maps.Keys(fired)))
	}
	suspected := r.all(func(a alert) bool {
		return a.Status == firing && strings.HasPrefix(a.Labels["service_name"], "healthy-")
	})
	t.Logf("%d healthy services: no alert above info, %d suspected", fleetSize, len(suspected))
}

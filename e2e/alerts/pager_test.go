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

// toTheWebhook is the time that is promised at this scale, from the first leaked
// goroutine on.
const toTheWebhook = 60 * time.Second

// rig is everything from the collector to the pager.
type rig struct {
	*webhook
	alertmanager *alertmanager
	scraping     *backend
	writtenTo    *backend
	backends     map[string]*backend // every Prometheus, by how it gets its series
	collector    *watcher
	service      string // the program
	rules        string // the file
}

// newRig starts all but the collector, which waits for its targets.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		service:   build(t, "service"),
		collector: planCollector(t),
		webhook:   startWebhook(t),
		rules:     renderRules(t, defaultNaming),
	}
	r.alertmanager = startAlertmanager(t, r.URL)
	r.scraping = startPrometheus(t, byScraping, r.rules, r.alertmanager.address, r.collector.metrics)
	r.writtenTo = startPrometheus(t, byRemoteWrite, r.rules, r.alertmanager.address)
	r.backends = map[string]*backend{byScraping: r.scraping, byRemoteWrite: r.writtenTo}
	return r
}

// addOTLP adds a Prometheus that takes OTLP, and returns it. Where there is none it
// returns none.
func (r *rig) addOTLP(t *testing.T) []*backend {
	t.Helper()
	if !hasOTLPPrometheus(t) {
		return nil
	}
	b := startOTLPPrometheus(t, defaultNaming, r.rules, r.alertmanager.address)
	r.backends[byOTLP] = b
	return []*backend{b}
}

// awaitHistory waits until the pager has been told this of a service, and returns when
// that was.
func (r *rig) awaitHistory(t *testing.T, patience time.Duration, service, via string, want ...string) time.Time {
	t.Helper()
	await(t, patience, fmt.Sprint(service, " by ", via, ": ", want), func() bool {
		return len(r.history(service, via)) >= len(want)
	})
	told := r.history(service, via)
	require.Equal(t, want, statuses(told))
	return told[len(told)-1].at
}

// TestFromLeakToPager has two replicas of one service leak among 20 healthy services,
// whose load rises and falls, which crash, and to which a new release is deployed.
func TestFromLeakToPager(t *testing.T) {
	t.Parallel()
	r, second := newRig(t), startVictoriaMetrics(t)
	pushTo := append(r.addOTLP(t), r.writtenTo, second)
	healthy, cart := startFleet(t, r.service), planLeaky(t, "cart", 2)
	r.collector.watch(t, append(cart.targets, healthy.targets...), pushTo...)
	stop := healthy.churn(t)

	begin := time.Now()
	cart.start(t, r.service)
	for via := range r.backends {
		at := r.awaitHistory(t, toTheWebhook-time.Since(begin), "cart", via, firing)
		t.Logf("by %s: at the webhook %.1f s after the first leaked goroutine", via, at.Sub(begin).Seconds())
		checkAlert(t, r.history("cart", via)[0], "cart", "[12] of [12] instances?")
	}
	sameInBoth(t, r.writtenTo, second)

	begin = time.Now()
	cart.deploy(t, repaired)
	for via := range r.backends {
		at := r.awaitHistory(t, time.Minute, "cart", via, firing, resolved)
		t.Logf("by %s: resolved %.1f s after the repair", via, at.Sub(begin).Seconds())
		told := r.history("cart", via)
		assert.Equal(t, told[0].Labels, told[1].Labels, "the same alert")
	}
	await(t, time.Minute, "a new release of every service", func() bool {
		return len(r.scraping.query(t, `group by (service_name) (goroutine_entry_count{goroutine_entry_function_name="main.sessionSecond"})`)) == fleetSize
	})
	stop()
	nothingElse(t, r)
}

// sameInBoth holds what a backend of another make has to what Prometheus has.
func sameInBoth(t *testing.T, one, other *backend) {
	t.Helper()
	const leaks = `{__name__=~"goroutine_leak_(severity|count|growth_rate_per_hour)",service_name="cart"}`
	var wanted []series
	await(t, 20*time.Second, "the leak in both replicas, in both backends", func() bool {
		wanted = one.query(t, leaks)
		return len(wanted) == 6 && len(other.query(t, leaks)) == len(wanted)
	})
	assert.ElementsMatch(t, labels(wanted), labels(other.query(t, leaks)))
}

func labels(all []series) []map[string]string {
	var sets []map[string]string
	for _, one := range all {
		sets = append(sets, one.Metric)
	}
	return sets
}

// nothingElse asks pager and Prometheus alike for alerts above info that are about
// anything but the one leak.
func nothingElse(t *testing.T, r *rig) {
	t.Helper()
	for _, a := range r.all(func(a alert) bool { return a.Labels["severity"] != "info" }) {
		assert.Equal(t, "cart", a.Labels["service_name"], "%v", a)
	}
	for _, b := range r.backends {
		fired := map[string]bool{}
		for _, one := range b.query(t, `count by (alertname, service_name) (count_over_time(ALERTS{alertstate="firing",severity!="info"}[10m]))`) {
			fired[one.Metric["alertname"]+" "+one.Metric["service_name"]] = true
		}
		assert.Equal(t, []string{"GoroutineLeakProbable cart"}, slices.Collect(maps.Keys(fired)))
	}
	suspected := r.all(func(a alert) bool {
		return a.Status == firing && strings.HasPrefix(a.Labels["service_name"], "healthy-")
	})
	t.Logf("%d healthy services: no alert above info, %d suspected", fleetSize, len(suspected))
}

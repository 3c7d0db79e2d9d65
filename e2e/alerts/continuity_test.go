package alerts

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAlertOutlivesRestarts restarts each component between the leak and the webhook while an alert is
// active. One backend is down for a minute, while a release of another service starts to leak. Each alert
// must fire once, and resolve once, when the services are repaired.
func TestAlertOutlivesRestarts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart, shop := newLeaky(t, "cart", 1), newLeaky(t, "shop", 1)
	r.collector.watch(t, append(cart.targets, shop.targets...), r.writtenTo)
	cart.start(t, r.service)
	shop.start(t, r.service, repaired)
	both := []string{byScraping, byRemoteWrite}
	for _, via := range both {
		r.awaitHistory(t, toTheWebhook, "cart", via, firing)
	}

	require.NoError(t, r.scraping.restart(syscall.SIGTERM))
	r.scraping.awaitReady(t)
	r.collector.end(syscall.SIGTERM)
	remains(t, 5*time.Second, r, "cart", firing) // several evaluations of the rules
	require.NoError(t, r.collector.start())
	r.collector.awaitReady(t)
	// An alert without data would end in this time.
	remains(t, gap+5*time.Second, r, "cart", firing)

	r.writtenTo.end(syscall.SIGTERM)
	begin := time.Now()
	shop.deploy(t) // with the leak
	r.awaitHistory(t, toTheWebhook, "shop", byScraping, firing)
	remains(t, time.Minute-time.Since(begin), r, "cart", firing)
	require.NoError(t, r.writtenTo.start())
	r.writtenTo.awaitReady(t)
	begin = time.Now()

	// Alertmanager loses its alerts and receives them again, but must not send them again.
	require.NoError(t, r.alertmanager.restart(syscall.SIGTERM))
	r.alertmanager.awaitReady(t)
	// Prometheus has no Alertmanager in its first seconds, and resends an alert that fires then after
	// resendDelay.
	at := r.awaitHistory(t, resendDelay+15*time.Second, "shop", byRemoteWrite, firing)
	t.Logf("by %s: at the webhook %.1f s after the backend has restarted", byRemoteWrite, at.Sub(begin).Seconds())
	remains(t, 5*time.Second, r, "cart", firing)

	cart.deploy(t, repaired)
	shop.deploy(t, repaired)
	for _, via := range both {
		for _, service := range []string{"cart", "shop"} {
			r.awaitHistory(t, time.Minute, service, via, firing, resolved)
			notifications := r.history(service, via)
			checkAlert(t, notifications[0], service, "1 of 1 instance")
			assert.Equal(t, notifications[0].Labels, notifications[1].Labels, "labels of the firing and the resolved alert")
		}
	}
}

// remains checks for a time that the notifications of a service do not change.
func remains(t *testing.T, duration time.Duration, r *rig, service string, want ...string) {
	t.Helper()
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for begin := time.Now(); time.Since(begin) < duration; <-again.C {
		for _, via := range []string{byScraping, byRemoteWrite} {
			require.Equal(t, want, statuses(r.history(service, via)), "%s by %s", service, via)
		}
	}
}

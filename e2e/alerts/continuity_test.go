package alerts

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAlertOutlivesRestarts restarts everything between the leak and the pager while an
// alert is active, and has a backend down for a minute, in which a release of another
// service leaks. Each alert is told once, and resolved once, when the services are
// repaired.
func TestAlertOutlivesRestarts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart, shop := planLeaky(t, "cart", 1), planLeaky(t, "shop", 1)
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
	remains(t, 5*time.Second, r, "cart", firing) // so long that nobody can miss it
	require.NoError(t, r.collector.start())
	r.collector.awaitReady(t)
	// Until an alert that had lost its data would have ended.
	remains(t, gap+5*time.Second, r, "cart", firing)

	r.writtenTo.end(syscall.SIGTERM)
	begin := time.Now()
	shop.deploy(t) // with the leak
	r.awaitHistory(t, toTheWebhook, "shop", byScraping, firing)
	remains(t, time.Minute-time.Since(begin), r, "cart", firing)
	require.NoError(t, r.writtenTo.start())
	r.writtenTo.awaitReady(t)
	begin = time.Now()

	// It does not keep alerts: it is told them anew, and must not tell them anew.
	require.NoError(t, r.alertmanager.restart(syscall.SIGTERM))
	r.alertmanager.awaitReady(t)
	// A Prometheus knows no Alertmanager in its first seconds, and sends again what fired
	// in them when it is due.
	at := r.awaitHistory(t, resendDelay+15*time.Second, "shop", byRemoteWrite, firing)
	t.Logf("by %s: at the webhook %.1f s after the backend is back", byRemoteWrite, at.Sub(begin).Seconds())
	remains(t, 5*time.Second, r, "cart", firing)

	cart.deploy(t, repaired)
	shop.deploy(t, repaired)
	for _, via := range both {
		for _, service := range []string{"cart", "shop"} {
			r.awaitHistory(t, time.Minute, service, via, firing, resolved)
			told := r.history(service, via)
			checkAlert(t, told[0], service, "1 of 1 instance")
			assert.Equal(t, told[0].Labels, told[1].Labels, "the same alert")
		}
	}
}

// remains sees that for a while nothing more is told of a service.
func remains(t *testing.T, while time.Duration, r *rig, service string, want ...string) {
	t.Helper()
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for begin := time.Now(); time.Since(begin) < while; <-again.C {
		for _, via := range []string{byScraping, byRemoteWrite} {
			require.Equal(t, want, statuses(r.history(service, via)), "%s by %s", service, via)
		}
	}
}

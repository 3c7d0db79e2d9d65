package goroutinereceiver

import (
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDialGuard(t *testing.T) {
	guard := dialGuard{allowLinkLocal: []string{"Metadata.example.com", "169.254.20.10", "fe80::1%eth0"}}
	for _, test := range []struct {
		host, address string
		allowed       bool
	}{
		{"10.0.0.5", "10.0.0.5", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"cart", "2001:db8::1", true},
		{"cart", "cart", true},
		{"cart", "169.254.169.254", false},
		{"cart", "169.254.0.1", false},
		{"cart", "::ffff:169.254.169.254", false},
		{"cart", "fe80::1", false},
		{"cart", "febf::1", false},
		{"cart", "fe80::1%eth0", false},
		{"169.254.169.254", "169.254.169.254", false},
		{"metadata.example.com.", "169.254.169.254", true},
		{"169.254.20.10", "169.254.20.10", true},
		{"fe80::1%eth0", "fe80::1%eth0", true},
	} {
		err := guard.check(test.host, test.address)
		if test.allowed {
			assert.NoError(t, err, "%s at %s", test.host, test.address)
		} else {
			assert.ErrorContains(t, err, "allow_link_local", "%s at %s", test.host, test.address)
		}
	}
}

// TestLinkLocalIsRefusedAfterResolution resolves names to link-local addresses, as a hostile name
// server would.
func TestLinkLocalIsRefusedAfterResolution(t *testing.T) {
	startDNSStub(t, map[string][]string{
		"cart.test.":      {"169.254.169.254"},
		"both.test.":      {"169.254.169.254", "127.0.0.1"},
		"rebinding.test.": {"169.254.1.1", "169.254.1.2"},
	})
	_, port, err := net.SplitHostPort(serve(t, pprofMux()))
	require.NoError(t, err)
	for host, up := range map[string]bool{"cart.test": false, "rebinding.test": false, "169.254.169.254": false, "both.test": true} {
		t.Run(host, func(t *testing.T) {
			r, logs := newIdleReceiver(t, testConfig(targetAt(net.JoinHostPort(host, port))))
			began := time.Now()
			s := scrapeOf(t, r.targets[0])
			assert.Less(t, time.Since(began), 5*time.Second, "it waited for a timeout")
			assert.Equal(t, up, s.up())
			if !up {
				assert.EqualValues(t, 1, s.failures("connection"))
				require.Len(t, logs.FilterMessage("Scrape failed").All(), 1)
				logged := logs.FilterMessage("Scrape failed").All()[0].ContextMap()["error"]
				assert.Contains(t, logged, host+" is the link-local address 169.254.")
				assert.Contains(t, logged, "allow_link_local")
			}
		})
	}
}

// TestLinkLocalIsAllowedByName checks that the guard permits an attempt, which fails without a
// server.
func TestLinkLocalIsAllowedByName(t *testing.T) {
	startDNSStub(t, map[string][]string{"cart.test.": {"169.254.169.254"}})
	cfg := testConfig(targetAt("cart.test:1", func(c *TargetConfig) { c.ClientConfig.Timeout = 100 * time.Millisecond }))
	cfg.AllowLinkLocal = []string{"cart.test"}
	r, logs := newIdleReceiver(t, cfg)
	assert.False(t, scrapeOf(t, r.targets[0]).up())
	require.Len(t, logs.FilterMessage("Scrape failed").All(), 1)
	assert.NotContains(t, logs.All()[0].ContextMap()["error"], "allow_link_local")
}

// TestLinkLocalThroughAProxy checks that the proxy gets no request for a link-local address.
func TestLinkLocalThroughAProxy(t *testing.T) {
	var asked atomic.Int64
	proxy := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	through := func(endpoint string) scraped {
		r, _ := newIdleReceiver(t, testConfig(targetAt(endpoint, func(c *TargetConfig) { c.ClientConfig.ProxyURL = "http://" + proxy })))
		return scrapeOf(t, r.targets[0])
	}
	assert.EqualValues(t, 1, through("169.254.169.254:80").failures("connection"))
	assert.Zero(t, asked.Load())
	assert.EqualValues(t, 1, through("10.0.0.5:80").failures("http_status"))
	assert.Positive(t, asked.Load(), "the proxy is used")
}

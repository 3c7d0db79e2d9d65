package goroutinereceiver

import (
	"context"
	"net/http"
	"reflect"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
)

// clients are the HTTP clients of a receiver. Targets without settings of their own share one: a
// client takes some 5 KiB, more with TLS.
type clients struct {
	common         confighttp.ClientConfig // the receiver's settings
	allowLinkLocal []string
	client         *http.Client  // with the settings in common; nil until first used
	base           baseTransport // of client
}

// forTarget returns the client for a target. closeOwn closes its idle connections; it is nil if
// the client is shared.
func (c *clients) forTarget(ctx context.Context, cfg confighttp.ClientConfig, host component.Host, settings component.TelemetrySettings) (client *http.Client, closeOwn func(), err error) {
	if c.isCommon(cfg) {
		client, err = c.shared(ctx, host, settings)
		return client, nil, err
	}
	base := &baseTransport{guard: dialGuard{allowLinkLocal: c.allowLinkLocal}}
	client, err = base.client(ctx, cfg, host, settings)
	return client, base.closeIdle, err
}

// isCommon reports whether a target has the receiver's client settings. Endpoint and timeout are
// not settings of the client.
func (c *clients) isCommon(cfg confighttp.ClientConfig) bool {
	cfg.Endpoint, cfg.Timeout = c.common.Endpoint, c.common.Timeout
	return reflect.DeepEqual(cfg, c.common)
}

// shared returns the client with the common settings.
func (c *clients) shared(ctx context.Context, host component.Host, settings component.TelemetrySettings) (*http.Client, error) {
	if c.client != nil {
		return c.client, nil
	}
	c.base.guard.allowLinkLocal = c.allowLinkLocal
	client, err := c.base.client(ctx, c.common, host, settings)
	if err != nil {
		return nil, err
	}
	c.client = client
	return client, nil
}

func (c *clients) closeIdle() { c.base.closeIdle() }

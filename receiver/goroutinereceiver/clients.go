package goroutinereceiver

import (
	"context"
	"net/http"
	"reflect"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
)

// clients are the HTTP clients of a receiver. All targets share one but for those with settings
// of their own: a client takes some 5 KiB, and more with TLS.
type clients struct {
	common    confighttp.ClientConfig // the receiver's settings
	linkLocal []string
	client    *http.Client // with the settings in common; nil until it is needed
	innermost innermost    // of client
}

// of returns the client for a target. own closes its connections, and is nil if others have
// the client too.
func (c *clients) of(ctx context.Context, cfg confighttp.ClientConfig, host component.Host, settings component.TelemetrySettings) (client *http.Client, own func(), err error) {
	if c.isCommon(cfg) {
		client, err = c.shared(ctx, host, settings)
		return client, nil, err
	}
	i := &innermost{reach: reach{linkLocal: c.linkLocal}}
	client, err = i.client(ctx, cfg, host, settings)
	return client, i.closeIdle, err
}

// isCommon reports whether a target has the receiver's settings. Where it is, and how long it
// may take, is no matter of the client's.
func (c *clients) isCommon(cfg confighttp.ClientConfig) bool {
	cfg.Endpoint, cfg.Timeout = c.common.Endpoint, c.common.Timeout
	return reflect.DeepEqual(cfg, c.common)
}

// shared returns the client with the settings in common.
func (c *clients) shared(ctx context.Context, host component.Host, settings component.TelemetrySettings) (*http.Client, error) {
	if c.client != nil {
		return c.client, nil
	}
	c.innermost.reach.linkLocal = c.linkLocal
	client, err := c.innermost.client(ctx, c.common, host, settings)
	if err != nil {
		return nil, err
	}
	c.client = client
	return client, nil
}

func (c *clients) closeIdle() { c.innermost.closeIdle() }

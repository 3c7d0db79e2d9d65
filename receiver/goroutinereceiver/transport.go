package goroutinereceiver

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// innermost is a middleware that keeps hold of the transport below all that
// confighttp wraps around it. None of these wrappers passes CloseIdleConnections
// on, so without it the connections would outlive Shutdown by idle_conn_timeout.
type innermost struct {
	component.StartFunc
	component.ShutdownFunc
	transport *http.Transport
}

var (
	_ extensionmiddleware.HTTPClient = (*innermost)(nil)

	innermostID = component.MustNewIDWithName("goroutine_transport", "innermost")
)

func (i *innermost) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		i.transport, _ = base.(*http.Transport)
		return base, nil
	}, nil
}

// within has the middleware take its place: the last is the innermost.
func (i *innermost) within(cfg confighttp.ClientConfig, extensions map[component.ID]component.Component) (confighttp.ClientConfig, map[component.ID]component.Component) {
	cfg.Middlewares = append(slices.Clone(cfg.Middlewares), configmiddleware.Config{ID: innermostID})
	all := maps.Clone(extensions)
	if all == nil {
		all = map[component.ID]component.Component{}
	}
	all[innermostID] = i
	return cfg, all
}

func (i *innermost) closeIdle() {
	if i.transport != nil {
		i.transport.CloseIdleConnections()
	}
}

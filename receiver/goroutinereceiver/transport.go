package goroutinereceiver

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// maxHeader is how many bytes of headers an answer may have. net/http/pprof sends
// some 200; net/http would hold 10 MiB, and parse them.
const maxHeader = 64 << 10

// The buffers of a connection, in bytes, where the configuration has none. There may be tens of
// thousands of connections, which wait nearly all the time. A request has some 200 bytes, and
// what is read into a larger buffer passes them by.
const (
	readBuffer  = 1 << 10
	writeBuffer = 512
)

// innermost is a middleware that sees to the transport below all that confighttp
// wraps around it: where it may connect to, how much it takes for headers, and that
// its connections end. None of the wrappers passes CloseIdleConnections on, so
// without it the connections would outlive Shutdown by idle_conn_timeout.
type innermost struct {
	component.StartFunc
	component.ShutdownFunc
	reach     reach
	transport *http.Transport
}

var (
	_ extensionmiddleware.HTTPClient = (*innermost)(nil)

	innermostID = component.MustNewIDWithName("goroutine_transport", "innermost")

	errTransport = errors.New("the HTTP client has another transport than net/http's")
)

func (i *innermost) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := base.(*http.Transport)
		if !ok {
			return nil, errTransport
		}
		transport.MaxResponseHeaderBytes = maxHeader
		transport.ReadBufferSize = cmp.Or(transport.ReadBufferSize, readBuffer)
		transport.WriteBufferSize = cmp.Or(transport.WriteBufferSize, writeBuffer)
		transport.DialContext = i.reach.dial
		i.transport = transport
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			// A proxy resolves names by itself. What it is asked for by
			// address can be seen here.
			if err := i.reach.check(request.URL.Hostname(), request.URL.Hostname()); err != nil {
				return nil, err
			}
			return transport.RoundTrip(request)
		}), nil
	}, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// client returns an HTTP client without a timeout that does not follow redirects.
func (i *innermost) client(ctx context.Context, cfg confighttp.ClientConfig, host component.Host, settings component.TelemetrySettings) (*http.Client, error) {
	cfg, extensions := i.within(cfg, host.GetExtensions())
	client, err := cfg.ToClient(ctx, extensions, settings)
	if err != nil {
		return nil, err
	}
	client.Timeout = 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client, nil
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

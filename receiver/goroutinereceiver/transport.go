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

// maxHeader is the maximum size of response headers in bytes. net/http/pprof sends some 200; the
// default of net/http is 10 MiB.
const maxHeader = 64 << 10

// The default buffer sizes of a connection, in bytes. There may be tens of thousands of
// connections, which are idle nearly all the time. A request has some 200 bytes, and reads into a
// larger buffer bypass the read buffer.
const (
	readBuffer  = 1 << 10
	writeBuffer = 512
)

// baseTransport is a middleware that configures the http.Transport below confighttp's wrappers:
// its dial guard, its limits, and that Shutdown closes its idle connections. None of the wrappers
// forwards CloseIdleConnections, so without it the connections would outlive Shutdown by
// idle_conn_timeout.
type baseTransport struct {
	component.StartFunc
	component.ShutdownFunc
	guard     dialGuard
	transport *http.Transport
}

var (
	_ extensionmiddleware.HTTPClient = (*baseTransport)(nil)

	baseTransportID = component.MustNewIDWithName("goroutine_transport", "base")

	errTransport = errors.New("the base transport of the HTTP client is not an *http.Transport")
)

func (b *baseTransport) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := base.(*http.Transport)
		if !ok {
			return nil, errTransport
		}
		transport.MaxResponseHeaderBytes = maxHeader
		transport.ReadBufferSize = cmp.Or(transport.ReadBufferSize, readBuffer)
		transport.WriteBufferSize = cmp.Or(transport.WriteBufferSize, writeBuffer)
		transport.DialContext = b.guard.dial
		b.transport = transport
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			// A proxy resolves names itself, so only addresses can be
			// checked here.
			if err := b.guard.check(request.URL.Hostname(), request.URL.Hostname()); err != nil {
				return nil, err
			}
			return transport.RoundTrip(request)
		}), nil
	}, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// client returns an HTTP client without a timeout that does not follow redirects.
func (b *baseTransport) client(ctx context.Context, cfg confighttp.ClientConfig, host component.Host, settings component.TelemetrySettings) (*http.Client, error) {
	cfg, extensions := b.withMiddleware(cfg, host.GetExtensions())
	client, err := cfg.ToClient(ctx, extensions, settings)
	if err != nil {
		return nil, err
	}
	client.Timeout = 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client, nil
}

// withMiddleware adds b to cfg and extensions, as the last middleware of cfg, which wraps the
// transport first.
func (b *baseTransport) withMiddleware(cfg confighttp.ClientConfig, extensions map[component.ID]component.Component) (confighttp.ClientConfig, map[component.ID]component.Component) {
	cfg.Middlewares = append(slices.Clone(cfg.Middlewares), configmiddleware.Config{ID: baseTransportID})
	all := maps.Clone(extensions)
	if all == nil {
		all = map[component.ID]component.Component{}
	}
	all[baseTransportID] = b
	return cfg, all
}

func (b *baseTransport) closeIdle() {
	if b.transport != nil {
		b.transport.CloseIdleConnections()
	}
}

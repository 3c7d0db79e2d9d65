package target

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// Access configures requests to targets.
type Access struct {
	// Headers are sent with each request, each as "Name: value".
	Headers []string
	// Token is a bearer token.
	Token string
	// CA, Certificate and Key are names of PEM files.
	CA, Certificate, Key string
	// Insecure accepts any server certificate.
	Insecure bool
}

// maxHeader is the most bytes of response headers. net/http/pprof sends about 200.
const maxHeader = 64 << 10

var (
	errHeader  = errors.New(`want "Name: value"`)
	errKeyPair = errors.New("--cert and --key must be set together")
	errCA      = errors.New("no certificates found")
)

// Client returns a client and the headers to send. The client has its own connections, so that a
// new connection to a target is recognized. It does not follow redirects, which would pass the
// credentials to another host, and mostly lead to a login page.
func (a Access) Client() (*http.Client, http.Header, error) {
	headers, err := a.headers()
	if err != nil {
		return nil, nil, err
	}
	config, err := a.tls()
	if err != nil {
		return nil, nil, err
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    1,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, headers, nil
}

func (a Access) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: a.Insecure} //nolint:gosec // requested with --insecure
	if a.CA != "" {
		pem, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca %s: %w", a.CA, errCA)
		}
	}
	if (a.Certificate == "") != (a.Key == "") {
		return nil, errKeyPair
	}
	if a.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(a.Certificate, a.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// headers returns the headers to send with each request.
func (a Access) headers() (http.Header, error) {
	all := make(http.Header)
	for _, header := range a.Headers {
		name, value, found := strings.Cut(header, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		// The error does not contain the value, which may be a secret.
		if !found || name == "" || strings.ContainsAny(name, " \r\n\t") || strings.ContainsAny(value, "\r\n") {
			return nil, fmt.Errorf("invalid header %q: %w", name[:min(len(name), 20)]+"...", errHeader)
		}
		all.Add(name, value)
	}
	if a.Token != "" {
		all.Set("Authorization", "Bearer "+a.Token)
	}
	return all, nil
}

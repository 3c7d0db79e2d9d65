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

// Access is how targets are reached, the same for all.
type Access struct {
	// Headers are sent along, each as "Name: value".
	Headers []string
	// Token is a bearer token.
	Token string
	// CA, Certificate and Key are PEM files.
	CA, Certificate, Key string
	// Insecure accepts any server certificate.
	Insecure bool
}

// maxHeader is how many bytes of headers an answer may have. net/http/pprof sends some 200.
const maxHeader = 64 << 10

var (
	errHeader  = errors.New(`a header must be "Name: value"`)
	errKeyPair = errors.New("a client certificate needs both --cert and --key")
	errCA      = errors.New("no certificate in the file of --ca")
)

// Client returns a client and the headers to send along. It has connections of its own, so that
// a new one can be told. Redirects are not followed: they would take the credentials to another host, and most lead
// to a login page.
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
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: a.Insecure} //nolint:gosec // it is what --insecure asks for
	if a.CA != "" {
		pem, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errCA
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

// headers returns what is sent along with every request.
func (a Access) headers() (http.Header, error) {
	all := make(http.Header)
	for _, header := range a.Headers {
		name, value, found := strings.Cut(header, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		// The value may be a secret, so the error does not repeat it.
		if !found || name == "" || strings.ContainsAny(name, " \r\n\t") || strings.ContainsAny(value, "\r\n") {
			return nil, fmt.Errorf("%w, unlike the one that begins with %q", errHeader, name[:min(len(name), 20)])
		}
		all.Add(name, value)
	}
	if a.Token != "" {
		all.Set("Authorization", "Bearer "+a.Token)
	}
	return all, nil
}

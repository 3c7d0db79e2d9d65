package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
)

// MaxBody is the largest response or file, in bytes: a trace of four million goroutines.
const MaxBody = 64 << 20

var (
	// ErrTooLarge is returned for a response or file larger than MaxBody.
	ErrTooLarge = fmt.Errorf("the data is larger than %d MiB", MaxBody>>20)
	// ErrHTML is returned for a response or file in HTML.
	ErrHTML     = errors.New("got an HTML page instead of a profile; if it is a login page, send credentials with --header or --token")
	errWantsTLS = errors.New("the server expects TLS; use https:// in the address")
)

// StatusError is a response with a status other than 200.
type StatusError struct {
	Code     int
	location string // host of a redirect
	text     string // first line of the body
}

func (e *StatusError) Error() string {
	status := fmt.Sprintf("HTTP status %d %s", e.Code, http.StatusText(e.Code))
	switch {
	case e.location != "":
		return status + ": the redirect to " + e.location + " is not followed; if it is a login page, send credentials with --header or --token"
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden, e.Code == http.StatusProxyAuthRequired:
		return status + ": send credentials with --header or --token, or a client certificate with --cert and --key"
	case e.Code == http.StatusNotFound:
		return status + ": check that the service imports net/http/pprof and that the path is correct"
	case e.Code == http.StatusBadRequest && strings.Contains(e.text, "HTTP request to an HTTPS server"):
		return status + ": " + errWantsTLS.Error()
	case e.text == "":
		return status
	}
	return fmt.Sprintf("%s: %q", status, e.text)
}

// requester sends requests to one address.
type requester struct {
	client  *http.Client
	address *url.URL
	headers http.Header
}

// response is a response with status 200. The caller must close its body.
type response struct {
	*http.Response
	newConnection bool
}

// get requests a profile by its name.
func (r *requester) get(ctx context.Context, profile, query string) (found response, err error) {
	address := r.address.JoinPath(profile)
	address.RawQuery = query
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { found.newConnection = !info.Reused }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return found, withoutURL(err)
	}
	maps.Copy(request.Header, r.headers)
	if host := r.headers.Get("Host"); host != "" {
		request.Host = host
	}
	found.Response, err = r.client.Do(request) //nolint:bodyclose // the caller closes it
	if err != nil {
		return found, withoutURL(err)
	}
	if found.StatusCode != http.StatusOK {
		err := newStatusError(found.Response)
		return found, errors.Join(err, found.Body.Close())
	}
	return found, nil
}

// read reads and closes the body.
func (r response) read() (body []byte, err error) {
	defer func() { err = errors.Join(err, r.Body.Close()) }()
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= MaxBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(r.Body, MaxBody+1)); err != nil {
		return nil, fmt.Errorf("incomplete response: %w", shorten(err))
	}
	if b.Len() > MaxBody {
		return nil, ErrTooLarge
	}
	if isHTML(b.Bytes()) {
		return nil, ErrHTML
	}
	return b.Bytes(), nil
}

func isHTML(body []byte) bool {
	start := bytes.ToLower(bytes.TrimLeft(body[:min(len(body), 512)], " \t\r\n\ufeff"))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// maxQuoted is how much of a response an error quotes, in bytes.
const maxQuoted = 80

func newStatusError(r *http.Response) error {
	e := &StatusError{Code: r.StatusCode}
	switch {
	case r.StatusCode < 200: // the body would be the raw connection
		return e
	case r.StatusCode >= 300 && r.StatusCode < 400:
		if u, err := r.Location(); err == nil {
			e.location = u.Host
		}
		return e
	}
	text, _ := io.ReadAll(io.LimitReader(r.Body, maxQuoted)) // the status matters more
	if !isHTML(text) {
		line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
		e.text = strings.ToValidUTF8(string(line), "")
	}
	return e
}

// withoutURL removes the URL that net/http adds to an error, since it may contain a password.
func withoutURL(err error) error {
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err
	}
	// A TLS alert in place of a response: a record of type 21, version 3 (RFC 8446, section
	// 5.1). net/http has no error value for it.
	if strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`) {
		return errWantsTLS
	}
	return shorten(err)
}

// shortError limits the text of an error of net/http, which may quote megabytes of a response.
type shortError struct{ cause error }

const maxErrorText = 300

func shorten(err error) error { return &shortError{err} }

func (e *shortError) Error() string {
	if errors.Is(e.cause, context.DeadlineExceeded) {
		return fmt.Sprintf("no complete response within %.0f s", Timeout.Seconds())
	}
	text := e.cause.Error()
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "..."
	}
	return text
}
func (e *shortError) Unwrap() error { return e.cause }

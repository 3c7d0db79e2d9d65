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

// MaxBody is the largest answer, or file, that is read, in bytes: a trace of four million goroutines.
const MaxBody = 64 << 20

var (
	// ErrTooLarge is an answer that is larger than any that makes sense.
	ErrTooLarge = fmt.Errorf("the answer is larger than %d MiB", MaxBody>>20)
	// ErrNotPprof is an answer that is a page.
	ErrNotPprof = errors.New("the answer is a web page, not pprof: is it a login page? --header and --token send credentials")
	errWantsTLS = errors.New("the port speaks TLS: write https:// before the address")
)

// StatusError is an answer other than 200.
type StatusError struct {
	Code     int
	location string // of a redirect, its host
	text     string // the beginning of the body
}

func (e *StatusError) Error() string {
	said := fmt.Sprintf("HTTP status %d %s", e.Code, http.StatusText(e.Code))
	switch {
	case e.location != "":
		return said + " to " + e.location + ", which is not followed: is it a login page? --header and --token send credentials"
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden, e.Code == http.StatusProxyAuthRequired:
		return said + ": --header and --token send credentials, --cert and --key a client certificate"
	case e.Code == http.StatusNotFound:
		return said + ": does the service import net/http/pprof, and is the path right?"
	case e.Code == http.StatusBadRequest && strings.Contains(e.text, "HTTP request to an HTTPS server"):
		return said + ": " + errWantsTLS.Error()
	case e.text == "":
		return said
	}
	return fmt.Sprintf("%s: %q", said, e.text)
}

// asker sends requests to one address.
type asker struct {
	client  *http.Client
	address *url.URL
	headers http.Header
}

// answer is what came back. Its body is to be closed.
type answer struct {
	*http.Response
	newConnection bool
}

// ask asks for a profile of the target.
func (a *asker) ask(ctx context.Context, path, query string) (answer, error) {
	address := a.address.JoinPath(path)
	address.RawQuery = query
	return a.get(ctx, address)
}

func (a *asker) get(ctx context.Context, address *url.URL) (found answer, err error) {
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { found.newConnection = !info.Reused }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return found, withoutURL(err)
	}
	maps.Copy(request.Header, a.headers)
	if host := a.headers.Get("Host"); host != "" {
		request.Host = host
	}
	found.Response, err = a.client.Do(request) //nolint:bodyclose // the caller closes it
	if err != nil {
		return found, withoutURL(err)
	}
	if found.StatusCode != http.StatusOK {
		err := newStatusError(found.Response)
		return found, errors.Join(err, found.Body.Close())
	}
	return found, nil
}

// readAll reads an answer whole.
func readAll(found answer) (body []byte, err error) {
	defer func() { err = errors.Join(err, found.Body.Close()) }()
	var b bytes.Buffer
	if n := found.ContentLength; n > 0 && n <= MaxBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(found.Body, MaxBody+1)); err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", short(err))
	}
	if b.Len() > MaxBody {
		return nil, ErrTooLarge
	}
	if isPage(b.Bytes()) {
		return nil, ErrNotPprof
	}
	return b.Bytes(), nil
}

// isPage tells whether a body is HTML.
func isPage(body []byte) bool {
	start := bytes.ToLower(bytes.TrimLeft(body[:min(len(body), 512)], " \t\r\n\ufeff"))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// maxQuoted is how much of an answer an error quotes, in bytes.
const maxQuoted = 80

func newStatusError(r *http.Response) error {
	e := &StatusError{Code: r.StatusCode}
	switch {
	case r.StatusCode < 200: // its body is the bare connection
		return e
	case r.StatusCode >= 300 && r.StatusCode < 400:
		if u, err := r.Location(); err == nil {
			e.location = u.Host
		}
		return e
	}
	text, _ := io.ReadAll(io.LimitReader(r.Body, maxQuoted)) // the status matters more
	if !isPage(text) {
		line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
		e.text = strings.ToValidUTF8(string(line), "")
	}
	return e
}

// withoutURL takes off what net/http puts before an error, since a URL may hold a password.
func withoutURL(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		err = at.Err
	}
	// A TLS alert where an answer was expected: a record of type 21, version 3 (RFC 8446,
	// section 5.1). net/http has no error of its own for it.
	if strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`) {
		return errWantsTLS
	}
	return short(err)
}

// shortError is an error of net/http, some of which quote megabytes of an answer.
type shortError struct{ cause error }

const maxErrorText = 300

func short(err error) error { return &shortError{err} }

func (e *shortError) Error() string {
	if errors.Is(e.cause, context.DeadlineExceeded) {
		return fmt.Sprintf("no full answer within %.0f s", Timeout.Seconds())
	}
	text := e.cause.Error()
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "..."
	}
	return text
}
func (e *shortError) Unwrap() error { return e.cause }

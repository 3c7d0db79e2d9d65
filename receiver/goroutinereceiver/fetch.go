package goroutinereceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// fetcher sends requests to one target. It is not safe for concurrent use.
type fetcher struct {
	client  *http.Client
	address *url.URL
	maxBody int
	pool    *pool
}

// maxQuoted is how many bytes of a response an error quotes.
const maxQuoted = 80

// errWantsTLS is returned for plain HTTP to a TLS port.
var errWantsTLS = errors.New(`the port speaks TLS: "endpoint" must begin with https://`)

var errBodyTooLarge = errors.New(`the response is larger than "max_body_size"`)

// statusError is a response with a status other than 200.
type statusError struct {
	code int
	text string // the first line of the body, cut
}

func (e *statusError) Error() string {
	status := fmt.Sprintf("HTTP status %d %s", e.code, http.StatusText(e.code))
	switch {
	case e.code >= 300 && e.code < 400:
		return status + ": redirects are not followed"
	case e.code == http.StatusNotFound:
		return status + ": does the service import net/http/pprof, and is the path of \"endpoint\" right?"
	case e.code == http.StatusBadRequest && strings.Contains(e.text, "HTTP request to an HTTPS server"):
		return status + ": " + errWantsTLS.Error()
	case e.text == "":
		return status
	default:
		return fmt.Sprintf("%s: %q", status, e.text)
	}
}

// pprofRequest is a request to a pprof endpoint, with the functions that read the response.
type pprofRequest struct {
	path, query string
	// check reads a response as it arrives. It returns an error as soon as decode would fail
	// whatever follows.
	check  func(body io.Reader) error
	decode func(body []byte) (*stack.Snapshot, error)
}

// fetch sends a request and decodes the response. newConnection reports whether a new connection
// was made.
func (f *fetcher) fetch(ctx context.Context, r *pprofRequest) (s *stack.Snapshot, newConnection bool, err error) {
	response, newConnection, err := f.get(ctx, r.path, r.query)
	if err != nil {
		return nil, newConnection, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	s, err = f.read(ctx, response, r)
	return s, newConnection, err
}

// get sends a request. The caller must close the response body.
func (f *fetcher) get(ctx context.Context, path, query string) (response *http.Response, newConnection bool, err error) {
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { newConnection = !info.Reused },
	}
	address := f.address.JoinPath(path)
	address.RawQuery = query
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return nil, false, withoutURL(err)
	}
	request.Close = !f.pool.keepsConnections()
	response, err = f.client.Do(request)
	if err != nil {
		return nil, newConnection, withoutURL(err)
	}
	return response, newConnection, nil
}

func (f *fetcher) read(ctx context.Context, response *http.Response, r *pprofRequest) (*stack.Snapshot, error) {
	if isInformational(response) {
		return nil, newStatusError(response)
	}
	if err := f.pool.slots.acquire(ctx); err != nil {
		return nil, err
	}
	defer f.pool.slots.release()
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, newStatusError(response)
	case response.ContentLength > int64(f.maxBody):
		return nil, tooLarge(errBodyTooLarge, f.maxBody)
	}
	buffer := f.pool.buffers.Get().(*bytes.Buffer)
	defer f.release(buffer)
	body, err := f.readBody(response.Body, buffer, r.check)
	if err != nil {
		return nil, err
	}
	if err := f.pool.decoding.acquire(ctx); err != nil {
		return nil, err
	}
	defer f.pool.decoding.release()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r.decode(body)
}

// readBody reads a body. A small one is read into the buffer as a whole. A large one is checked
// while it is read, so that an invalid one does not stay in memory.
func (f *fetcher) readBody(from io.Reader, buffer *bytes.Buffer, check func(io.Reader) error) ([]byte, error) {
	body := &boundedBody{from: from, remaining: f.maxBody}
	if _, err := buffer.ReadFrom(io.LimitReader(body, smallBody)); err != nil {
		return nil, f.explain(body, err)
	}
	if buffer.Len() < smallBody {
		return buffer.Bytes(), nil
	}
	var rest chunks
	if err := check(io.MultiReader(bytes.NewReader(buffer.Bytes()), io.TeeReader(body, &rest))); err != nil {
		return nil, f.explain(body, err)
	}
	return rest.prefixed(buffer.Bytes()), nil
}

// explain returns the error of reading the body if there was one, and err otherwise.
func (f *fetcher) explain(b *boundedBody, err error) error {
	switch {
	case b.tooLarge:
		return tooLarge(errBodyTooLarge, f.maxBody)
	case b.err != nil:
		return &bodyError{b.err}
	}
	return err
}

func tooLarge(err error, limit int) error { return fmt.Errorf("%w (%d bytes)", err, limit) }

func (f *fetcher) release(buffer *bytes.Buffer) {
	buffer.Reset()
	f.pool.buffers.Put(buffer)
}

// isInformational reports whether a response has a 1xx status. The body of 101 is the bare
// connection, which no context closes.
func isInformational(response *http.Response) bool { return response.StatusCode < 200 }

func newStatusError(response *http.Response) *statusError {
	if isInformational(response) {
		return &statusError{code: response.StatusCode}
	}
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		// The body may repeat the refused credentials.
		return &statusError{code: response.StatusCode}
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxQuoted)) // the status is the error
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return &statusError{code: response.StatusCode, text: string(line)}
}

// bodyError is an error of reading a response body: it was cut off, or its encoding is not the
// one of the headers.
type bodyError struct{ cause error }

func (e *bodyError) Error() string {
	return "failed to read the response: " + (&transportError{e.cause}).Error()
}
func (e *bodyError) Unwrap() error { return e.cause }

// withoutURL removes the URL that net/http prepends to an error, since it may contain a user
// name. The log has the name of the target.
func withoutURL(err error) error {
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err
	}
	if isTLSRecord(err) {
		return fmt.Errorf("%w (%w)", errWantsTLS, &transportError{err})
	}
	return &transportError{err}
}

// isTLSRecord reports whether net/http read a TLS alert instead of a response: a record of type
// 21, version 3 (RFC 8446, section 5.1). net/http has no error type for this.
func isTLSRecord(err error) bool {
	return strings.HasPrefix(err.Error(), `net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03`)
}

// transportError is an error of net/http, truncated: some quote whole lines of the response,
// which may have megabytes.
type transportError struct{ cause error }

func (e *transportError) Error() string {
	text := e.cause.Error()
	if len(text) > maxTransportError {
		text = strings.ToValidUTF8(text[:maxTransportError], "") + "..."
	}
	return text
}
func (e *transportError) Unwrap() error { return e.cause }

// maxTransportError is the maximum length of a transportError: longer than any of net/http's own
// messages.
const maxTransportError = 300

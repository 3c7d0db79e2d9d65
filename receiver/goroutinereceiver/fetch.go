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

// fetcher asks one target for one thing at a time.
type fetcher struct {
	client  *http.Client
	address *url.URL
	maxBody int
	pool    *pool
}

// maxQuoted is how much of an answer an error quotes.
const maxQuoted = 80

// errWantsTLS is what net/http and others answer to plain HTTP at a TLS port.
var errWantsTLS = errors.New(`the port speaks TLS: "endpoint" must begin with https://`)

var errBodyTooLarge = errors.New(`the answer is larger than "max_body_size"`)

// statusError is an answer other than 200.
type statusError struct {
	code int
	text string // the beginning of the body
}

func (e *statusError) Error() string {
	said := fmt.Sprintf("HTTP status %d %s", e.code, http.StatusText(e.code))
	switch {
	case e.code >= 300 && e.code < 400:
		return said + ": redirects are not followed"
	case e.code == http.StatusNotFound:
		return said + ": does the service import net/http/pprof, and is the path of \"endpoint\" right?"
	case e.code == http.StatusBadRequest && strings.Contains(e.text, "HTTP request to an HTTPS server"):
		return said + ": " + errWantsTLS.Error()
	case e.text == "":
		return said
	default:
		return fmt.Sprintf("%s: %q", said, e.text)
	}
}

// want is what a target is asked for, and how the answer is read.
type want struct {
	path, query string
	// check reads an answer as it arrives, up to the first thing for which
	// decode would refuse it whatever follows.
	check  func(body io.Reader) error
	decode func(body []byte) (*stack.Snapshot, error)
}

// fetch asks for something and decodes the answer. newConnection tells that the
// target was connected to anew.
func (f *fetcher) fetch(ctx context.Context, w *want) (s *stack.Snapshot, newConnection bool, err error) {
	response, newConnection, err := f.ask(ctx, w.path, w.query)
	if err != nil {
		return nil, newConnection, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	s, err = f.read(ctx, response, w)
	return s, newConnection, err
}

// ask asks for something. The caller closes the body of the answer.
func (f *fetcher) ask(ctx context.Context, path, query string) (response *http.Response, newConnection bool, err error) {
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

func (f *fetcher) read(ctx context.Context, response *http.Response, w *want) (*stack.Snapshot, error) {
	if isBare(response) {
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
	body, err := f.readBody(response.Body, buffer, w.check)
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
	return w.decode(body)
}

// readBody reads an answer: all of a small one into the buffer. A large one is
// checked while it is read, so that what is no good is not held for long.
func (f *fetcher) readBody(from io.Reader, buffer *bytes.Buffer, check func(io.Reader) error) ([]byte, error) {
	body := &boundedBody{from: from, left: f.maxBody}
	if _, err := buffer.ReadFrom(io.LimitReader(body, small)); err != nil {
		return nil, f.explain(body, err)
	}
	if buffer.Len() < small {
		return buffer.Bytes(), nil
	}
	var rest pieces
	if err := check(io.MultiReader(bytes.NewReader(buffer.Bytes()), io.TeeReader(body, &rest))); err != nil {
		return nil, f.explain(body, err)
	}
	return rest.after(buffer.Bytes()), nil
}

// explain returns what was wrong with reading the answer, if anything was, or else
// with what was read.
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

// isBare tells whether the body of an answer is the bare connection, which no context ends.
func isBare(response *http.Response) bool { return response.StatusCode < 200 }

func newStatusError(response *http.Response) *statusError {
	if isBare(response) {
		return &statusError{code: response.StatusCode}
	}
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		// Such pages like to repeat the credentials that they refuse.
		return &statusError{code: response.StatusCode}
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxQuoted)) // the status matters more
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return &statusError{code: response.StatusCode, text: string(line)}
}

// bodyError is an answer that broke off, or that is not encoded as its headers say.
type bodyError struct{ cause error }

func (e *bodyError) Error() string {
	return "the answer broke off: " + (&transportError{e.cause}).Error()
}
func (e *bodyError) Unwrap() error { return e.cause }

// withoutURL takes off what net/http puts before an error, since a URL may hold a
// user's name. Who failed is said where it is logged.
func withoutURL(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		err = at.Err
	}
	if isTLSRecord(err) {
		return fmt.Errorf("%w (%w)", errWantsTLS, &transportError{err})
	}
	return &transportError{err}
}

// isTLSRecord tells whether net/http read a TLS alert where it expected an answer: a record
// of type 21, version 3 (RFC 8446, section 5.1). It has no error of its own for that.
func isTLSRecord(err error) bool {
	return strings.HasPrefix(err.Error(), `net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03`)
}

// transportError is an error of net/http, cut: some of them quote whole lines of
// the answer, of which there may be megabytes.
type transportError struct{ cause error }

func (e *transportError) Error() string {
	text := e.cause.Error()
	if len(text) > maxTransportText {
		text = strings.ToValidUTF8(text[:maxTransportText], "") + "..."
	}
	return text
}
func (e *transportError) Unwrap() error { return e.cause }

// maxTransportText has room for the longest that net/http says in its own words.
const maxTransportText = 300

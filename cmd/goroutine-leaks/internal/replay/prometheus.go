// Package replay judges what a Prometheus has kept of the past.
package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Prometheus is a server with the HTTP API of Prometheus.
type Prometheus struct {
	client  *http.Client
	address *url.URL
	headers http.Header
}

// ErrAddress is an argument that is no address of a Prometheus.
var ErrAddress = errors.New("--prometheus takes a URL such as http://prometheus:9090")

// ParseAddress reads the address of a Prometheus.
//
//	prometheus:9090               ->  http://prometheus:9090
//	https://host/prometheus/graph ->  https://host/prometheus
func ParseAddress(argument string) (*url.URL, error) {
	if !strings.Contains(argument, "://") {
		argument = "http://" + argument
	}
	u, err := url.Parse(argument)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrAddress // the error of url.Parse quotes the URL, which may hold a password
	}
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/graph")
	return u, nil
}

// NewPrometheus returns a Prometheus that is asked by client with these headers.
func NewPrometheus(address *url.URL, client *http.Client, headers http.Header) *Prometheus {
	return &Prometheus{client: client, address: address, headers: headers}
}

// Series is the samples of one series, as they were scraped.
type Series struct {
	Labels  map[string]string `json:"metric"`
	Samples []Sample          `json:"values"`
}

// Sample is a number and its time.
type Sample struct {
	At    time.Time
	Value float64
}

// UnmarshalJSON reads [1435781430.781, "1"].
func (s *Sample) UnmarshalJSON(text []byte) error {
	var value string
	var seconds float64
	if err := json.Unmarshal(text, &[]any{&seconds, &value}); err != nil {
		return err
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return err
	}
	if math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds {
		return errTime
	}
	*s = Sample{time.UnixMilli(int64(math.Round(seconds * 1000))), number}
	return nil
}

// maxSeconds is the year 2200.
const maxSeconds = 7_258_118_400

var errTime = errors.New("a sample has an impossible time")

// errTooMuch is more samples at once than the server, or this program, takes.
var errTooMuch = errors.New("too many samples at once")

// Error is what the server says is wrong.
type Error struct {
	Code int
	Text string
}

func (e *Error) Error() string {
	said := fmt.Sprintf("HTTP status %d %s", e.Code, http.StatusText(e.Code))
	switch {
	case e.Text != "":
		return said + ": " + e.Text
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden:
		return said + ": --header and --token send credentials"
	case e.Code == http.StatusNotFound:
		return said + ": is it a Prometheus?"
	}
	return said
}

// maxAnswer is the largest answer that is read, in bytes: two million samples.
const maxAnswer = 64 << 20

// query asks for an expression at a time, zero for the server's own.
func (p *Prometheus) query(ctx context.Context, expression string, at time.Time, into any) (err error) {
	address := p.address.JoinPath("api/v1/query")
	values := url.Values{"query": {expression}}
	if !at.IsZero() {
		values.Set("time", strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64))
	}
	address.RawQuery = values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return ErrAddress
	}
	maps.Copy(request.Header, p.headers)
	response, err := p.client.Do(request)
	if err != nil {
		if at, ok := errors.AsType[*url.Error](err); ok {
			err = at.Err // it quotes the URL, which may hold a password
		}
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode < 200 {
		return &Error{Code: response.StatusCode} // its body is the bare connection
	}
	return decode(response, into)
}

func decode(response *http.Response, into any) error {
	body := &io.LimitedReader{R: response.Body, N: maxAnswer}
	answer := struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}{}
	err := json.NewDecoder(body).Decode(&answer)
	switch {
	case body.N <= 0:
		return errTooMuch
	case response.StatusCode == http.StatusUnprocessableEntity && strings.Contains(answer.Error, "too many samples"):
		return errTooMuch
	case response.StatusCode != http.StatusOK:
		return &Error{response.StatusCode, strings.ToValidUTF8(answer.Error[:min(len(answer.Error), 300)], "")}
	case err != nil || answer.Status != "success":
		return errNotPrometheus
	}
	if err := json.Unmarshal(answer.Data, &struct {
		Result any `json:"result"`
	}{into}); err != nil {
		return fmt.Errorf("%w: %w", errNotPrometheus, err)
	}
	return nil
}

var errNotPrometheus = errors.New("the answer is not one of Prometheus")

// Clock returns the time that the server has.
func (p *Prometheus) Clock(ctx context.Context) (time.Time, error) {
	var s Sample
	if err := p.query(ctx, "time()", time.Time{}, &s); err != nil {
		return time.Time{}, err
	}
	return s.At, nil
}

// Range returns the samples of a selector in a time that ends at end, as they were scraped.
// A range query would return points at even steps, which were never measured.
func (p *Prometheus) Range(ctx context.Context, selector string, end time.Time, d time.Duration) ([]Series, error) {
	var all []Series
	err := p.query(ctx, fmt.Sprintf("%s[%dms]", selector, d.Milliseconds()), end, &all)
	return all, err
}

// Package replay applies the detector to samples stored in Prometheus.
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

// ErrAddress is returned for an invalid address.
var ErrAddress = errors.New("--prometheus must be a URL such as http://prometheus:9090")

// ParseAddress returns the base URL of a Prometheus.
//
//	prometheus:9090               ->  http://prometheus:9090
//	https://host/prometheus/graph ->  https://host/prometheus
func ParseAddress(argument string) (*url.URL, error) {
	if !strings.Contains(argument, "://") {
		argument = "http://" + argument
	}
	u, err := url.Parse(argument)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrAddress // the error of url.Parse contains the URL, which may contain a password
	}
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/graph")
	return u, nil
}

// NewPrometheus returns a Prometheus that receives requests by client with these headers.
func NewPrometheus(address *url.URL, client *http.Client, headers http.Header) *Prometheus {
	return &Prometheus{client: client, address: address, headers: headers}
}

// Series is a series with its raw samples.
type Series struct {
	Labels  map[string]string `json:"metric"`
	Samples []Sample          `json:"values"`
}

// Sample is a value and its time.
type Sample struct {
	At    time.Time
	Value float64
}

// UnmarshalJSON parses [1435781430.781, "1"].
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
	if math.IsNaN(seconds) || math.Abs(seconds) > maxTimestamp {
		return errTimestamp
	}
	*s = Sample{time.UnixMilli(int64(math.Round(seconds * 1000))), number}
	return nil
}

// maxTimestamp is the year 2200, in Unix seconds.
const maxTimestamp = 7_258_118_400

var errTimestamp = errors.New("a sample has an invalid timestamp")

// errTooManySamples means that a response exceeds the limit of the server, or maxResponse.
var errTooManySamples = errors.New("too many samples in one query")

// Error is an error response of the server.
type Error struct {
	Code int
	Text string
}

func (e *Error) Error() string {
	status := fmt.Sprintf("HTTP status %d %s", e.Code, http.StatusText(e.Code))
	switch {
	case e.Text != "":
		return status + ": " + e.Text
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden:
		return status + ": send credentials with --header or --token"
	case e.Code == http.StatusNotFound:
		return status + ": check that this is the URL of a Prometheus"
	}
	return status
}

// maxResponse is the largest response, in bytes: two million samples.
const maxResponse = 64 << 20

// query evaluates an expression at a time; zero is the server's current time.
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
		if urlErr, ok := errors.AsType[*url.Error](err); ok {
			err = urlErr.Err // without the URL, which may contain a password
		}
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode < 200 {
		return &Error{Code: response.StatusCode} // the body would be the raw connection
	}
	return decode(response, into)
}

func decode(response *http.Response, into any) error {
	body := &io.LimitedReader{R: response.Body, N: maxResponse}
	document := struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}{}
	err := json.NewDecoder(body).Decode(&document)
	switch {
	case body.N <= 0:
		return errTooManySamples
	case response.StatusCode == http.StatusUnprocessableEntity && strings.Contains(document.Error, "too many samples"):
		return errTooManySamples
	case response.StatusCode != http.StatusOK:
		return &Error{response.StatusCode, strings.ToValidUTF8(document.Error[:min(len(document.Error), 300)], "")}
	case err != nil || document.Status != "success":
		return errNotAPI
	}
	if err := json.Unmarshal(document.Data, &struct {
		Result any `json:"result"`
	}{into}); err != nil {
		return fmt.Errorf("%w: %w", errNotAPI, err)
	}
	return nil
}

var errNotAPI = errors.New("not a response of the Prometheus API")

// Clock returns the server's time.
func (p *Prometheus) Clock(ctx context.Context) (time.Time, error) {
	var s Sample
	if err := p.query(ctx, "time()", time.Time{}, &s); err != nil {
		return time.Time{}, err
	}
	return s.At, nil
}

// Range returns the raw samples of a selector in the duration d before end. A range query would
// return points at regular steps instead.
func (p *Prometheus) Range(ctx context.Context, selector string, end time.Time, d time.Duration) ([]Series, error) {
	var all []Series
	err := p.query(ctx, fmt.Sprintf("%s[%dms]", selector, d.Milliseconds()), end, &all)
	return all, err
}

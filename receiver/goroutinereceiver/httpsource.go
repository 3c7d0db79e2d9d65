package goroutinereceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// httpSource fetches one list from a server.
type httpSource struct {
	client *http.Client
	url    string
}

// allocatorSource fetches the targets that a Target Allocator has assigned to a collector, one
// list per job.
type allocatorSource struct {
	client      *http.Client
	base        *url.URL
	collectorID string
	job         string // all jobs if empty
}

// maxJobs and maxJobsSize limit the list of jobs of an allocator.
const (
	maxJobs     = 1000
	maxJobsSize = 1 << 20
)

var (
	errJobs        = errors.New(`not the jobs of a target allocator, such as {"cart": {"_link": "/jobs/cart/targets"}}`)
	errTooManyJobs = fmt.Errorf("the allocator has more than %d jobs: choose one by \"job\"", maxJobs)
	errNoList      = errors.New(`HTTP status 404 Not Found: is the "endpoint" right?`)
	errJobsSize    = fmt.Errorf("the response is too large: it must have fewer than %d bytes", maxJobsSize)
)

func (*httpSource) kind() string { return "http_sd" }

func (s *httpSource) documents(ctx context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		text, err := fetchList(ctx, s.client, s.url, targetlist.MaxSize, targetlist.ErrTooLarge)
		name, _, _ := strings.Cut(s.url, "?") // the query may contain a token
		yield(document{name: name, text: text, format: targetlist.JSON}, err)
	}
}

func (*allocatorSource) kind() string { return "target_allocator" }

func (s *allocatorSource) documents(ctx context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		jobs, err := s.jobs(ctx)
		if err != nil {
			yield(document{}, err)
			return
		}
		for _, job := range jobs {
			text, err := fetchList(ctx, s.client, s.address(job), targetlist.MaxSize, targetlist.ErrTooLarge)
			if !yield(document{name: job, text: text, format: targetlist.JSON}, err) {
				return
			}
		}
	}
}

// address returns the URL of the targets of a job. The link in the allocator's response is not
// followed: it has no additional information, and could lead to another host.
func (s *allocatorSource) address(job string) string {
	jobs := s.base.JoinPath("jobs")
	return jobs.String() + "/" + url.QueryEscape(job) + "/targets?collector_id=" + url.QueryEscape(s.collectorID)
}

// jobs returns the names of the jobs.
//
//	{"cart": {"_link": "/jobs/cart/targets"}}  ->  cart
func (s *allocatorSource) jobs(ctx context.Context) ([]string, error) {
	if s.job != "" {
		return []string{s.job}, nil
	}
	text, err := fetchList(ctx, s.client, s.base.JoinPath("jobs").String(), maxJobsSize, errJobsSize)
	if err != nil {
		return nil, err
	}
	var jobs map[string]struct {
		Link string `json:"_link"`
	}
	if err := json.Unmarshal(text, &jobs); err != nil {
		return nil, errJobs
	}
	delete(jobs, "") // its address would be the list of jobs
	if len(jobs) > maxJobs {
		return nil, errTooManyJobs
	}
	return slices.Sorted(maps.Keys(jobs)), nil
}

// fetchList fetches a text of fewer than size bytes. It returns tooLarge if the text is longer.
func fetchList(ctx context.Context, client *http.Client, from string, size int64, tooLarge error) (text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return nil, withoutURL(err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	switch {
	case response.StatusCode == http.StatusNotFound:
		return nil, errNoList
	case response.StatusCode != http.StatusOK:
		return nil, newStatusError(response)
	case response.ContentLength >= size:
		return nil, tooLarge
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(io.LimitReader(response.Body, size)); err != nil {
		return nil, &bodyError{err}
	}
	if int64(body.Len()) >= size {
		return nil, tooLarge
	}
	return body.Bytes(), nil
}

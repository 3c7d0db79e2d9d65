package page

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// listen opens a stream of events.
func listen(ctx context.Context, t *testing.T, url string) *bufio.Scanner {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", response.Status, response.Header.Get("Content-Type"))
	}
	return bufio.NewScanner(response.Body)
}

func TestNewDataSendsAnEvent(t *testing.T) {
	m := NewAggregator(Config{})
	h := NewHandler(m, Options{}, nil)
	server := httptest.NewServer(h)
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	events := listen(t.Context(), t, server.URL)
	events.Scan() // the stream is open
	m.ObserveBatch(time.Now(), func(func(finding.Point)) {})
	for events.Scan() {
		if events.Text() == "event: change" {
			break
		}
	}
	if events.Text() != "event: change" {
		t.Errorf("%q, %v", events.Text(), events.Err())
	}
	h.Close()
	h.Close() // idempotent
	for events.Scan() {
		if text := events.Text(); strings.HasPrefix(text, "event") {
			t.Errorf("%q after Close", text)
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	h := NewHandler(fixedSite{&Site{}}, Options{}, nil)
	server := httptest.NewServer(h)
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	defer h.Close()
	for range maxStreams {
		listen(t.Context(), t, server.URL)
	}
	response, err := http.Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Error(response.Status)
	}
}

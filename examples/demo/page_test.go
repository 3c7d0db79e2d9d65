package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func serve(t *testing.T, handler http.HandlerFunc) (client *http.Client, url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	client = newClient()
	t.Cleanup(server.Close)
	t.Cleanup(client.CloseIdleConnections)
	return client, server.URL + "/metrics"
}

// leakyFinding is what the pages in testdata say of a function of the service.
func leakyFinding(s severity, state, function, line, signature string, count, perHour float64) finding {
	return finding{
		group: group{signature: signature, entry: function}, severity: s, state: state, function: function,
		file: "github.com/otel-goroutine/otel-goroutine/examples/leaky/leaks.go", line: line, count: count, perHour: perHour,
	}
}

func TestReadPage(t *testing.T) {
	for _, tc := range []struct {
		source     string
		goroutines int
		findings   []finding
	}{
		{"trace", 525, []finding{
			leakyFinding(probable, "chan_receive", "main.waitForReply", "51", "9675f438050da6db", 111, 10440),
			leakyFinding(probable, "chan_send", "main.askSlowBackend", "95", "23674ceb13919c2c", 74, 6840),
			{group: group{entry: "main.pollForever"}, severity: probable, count: 74, perHour: 6960},
			leakyFinding(probable, "mutex", "main.writeAudit", "158", "2952165ef633f352", 74, 6960),
		}},
		{"profile", 1000, []finding{
			leakyFinding(suspected, "chan_receive", "main.waitForReply", "51", "9675f438050da6db", 294, 10620),
			{group: group{entry: "main.pollForever"}, severity: suspected, count: 196, perHour: 7080},
			leakyFinding(suspected, "mutex", "main.writeAudit", "158", "2952165ef633f352", 196, 7080),
			leakyFinding(suspected, "chan_send", "main.askSlowBackend", "95", "23674ceb13919c2c", 194, 7080),
		}},
	} {
		client, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if accept := r.Header.Get("Accept"); !strings.HasPrefix(accept, "text/plain") {
				t.Errorf("accepts %q", accept)
			}
			http.ServeFile(w, r, "testdata/"+tc.source+".prom")
		})
		r, err := readPage(t.Context(), client, url)
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		slices.SortFunc(r.findings, worstFirst)
		if r.source != tc.source || r.trouble != "" || r.goroutines != tc.goroutines {
			t.Errorf("%s: got source %q, trouble %q, %d goroutines", tc.source, r.source, r.trouble, r.goroutines)
		}
		if !slices.Equal(r.findings, tc.findings) {
			t.Errorf("%s: got %+v", tc.source, r.findings)
		}
	}
}

// What is 0 was a leak and is none any more; it stays on the page for a while.
func TestFindingsLeaveOutSeverityZero(t *testing.T) {
	p, err := parsePage(strings.NewReader(`goroutine_leak_severity{goroutine_entry_function_name="main.a"} 0
goroutine_leak_severity{goroutine_entry_function_name="main.b"} 1
goroutine_leak_count{goroutine_entry_function_name="main.a"} 5
`))
	if err != nil {
		t.Fatal(err)
	}
	if found := p.findings(); len(found) != 1 || found[0].entry != "main.b" || found[0].count != 0 {
		t.Errorf("got %v", found)
	}
}

func TestReadingOfScrapes(t *testing.T) {
	const (
		traced   = "goroutine_scrape_duration_seconds{goroutine_scrape_source=\"trace\"} 0.01\n"
		profiled = "goroutine_scrape_duration_seconds{goroutine_scrape_source=\"profile\"} 0.01\n"
		failures = "goroutine_scrape_failures_total{error_type=\"connection\"} 1\n" +
			"goroutine_scrape_failures_total{error_type=\"timeout\"} 7\n" +
			"goroutine_scrape_failures_total{error_type=\"malformed\"} 0\n"
	)
	for _, tc := range []struct {
		name, page, source, trouble string
	}{
		{"none yet", "", "", ""},
		{"counts only", "goroutine_scrape_up 1\n" + profiled, "profile", ""},
		{"failed", "goroutine_scrape_up 0\n" + traced + failures, "", "timeout"},
		{"works again", "goroutine_scrape_up 1\n" + traced + failures, "trace", ""},
		{"fallen back", "goroutine_scrape_up 1\n" + traced + profiled, "profile", ""},
		{"fallen back, in the other order", "goroutine_scrape_up 1\n" + profiled + traced, "profile", ""},
	} {
		p, err := parsePage(strings.NewReader(tc.page))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if r := p.reading(); r.source != tc.source || r.trouble != tc.trouble {
			t.Errorf("%s: source %q, trouble %q", tc.name, r.source, r.trouble)
		}
	}
}

func TestPageThatCannotBeRead(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		told    string
	}{
		{"not found", http.NotFound, "404"},
		{"no metrics", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html></html>\n")) }, "/metrics: text format parsing error"},
	} {
		client, url := serve(t, tc.handler)
		if _, err := readPage(t.Context(), client, url); err == nil || !strings.Contains(err.Error(), tc.told) {
			t.Errorf("%s: got %v", tc.name, err)
		}
	}
}

func TestReadPageHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client, url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := readPage(ctx, client, url); err == nil {
		t.Error("no error")
	}
}

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A page as the collector's Prometheus exporter writes it, shortened.
const tracePage = `# HELP go_goroutine_count Number of live goroutines.
# TYPE go_goroutine_count gauge
go_goroutine_count{instance="127.0.0.1:6060",job="leaky",server_address="127.0.0.1",server_port="6060",service_name="leaky"} 321
# HELP goroutine_leak_count Goroutines believed leaked now.
# TYPE goroutine_leak_count gauge
goroutine_leak_count{goroutine_entry_function_name="main.pollForever",service_name="leaky"} 45
goroutine_leak_count{code_file_path="/src/examples/leaky/leaks.go",code_function_name="main.askSlowBackend",code_line_number="90",goroutine_entry_function_name="main.askSlowBackend",goroutine_stack_signature="bf5d022b9ab2cd6d",goroutine_state="chan_send",service_name="leaky"} 46
goroutine_leak_count{code_file_path="/src/examples/leaky/leaks.go",code_function_name="main.waitForReply",code_line_number="51",goroutine_entry_function_name="main.waitForReply",goroutine_stack_signature="9675f438050da6db",goroutine_state="chan_receive",service_name="leaky"} 0
# HELP goroutine_leak_growth_rate How fast the leaked goroutines grow in number.
# TYPE goroutine_leak_growth_rate gauge
goroutine_leak_growth_rate{goroutine_entry_function_name="main.pollForever",service_name="leaky"} 7200
goroutine_leak_growth_rate{code_file_path="/src/examples/leaky/leaks.go",code_function_name="main.askSlowBackend",code_line_number="90",goroutine_entry_function_name="main.askSlowBackend",goroutine_stack_signature="bf5d022b9ab2cd6d",goroutine_state="chan_send",service_name="leaky"} 6960.5
# HELP goroutine_leak_severity How sure it is that this leaks: 0 not any more, 1 suspected, 2 probable, 3 confirmed.
# TYPE goroutine_leak_severity gauge
goroutine_leak_severity{goroutine_entry_function_name="main.pollForever",service_name="leaky"} 1
goroutine_leak_severity{code_file_path="/src/examples/leaky/leaks.go",code_function_name="main.askSlowBackend",code_line_number="90",goroutine_entry_function_name="main.askSlowBackend",goroutine_stack_signature="bf5d022b9ab2cd6d",goroutine_state="chan_send",service_name="leaky"} 2
goroutine_leak_severity{code_file_path="/src/examples/leaky/leaks.go",code_function_name="main.waitForReply",code_line_number="51",goroutine_entry_function_name="main.waitForReply",goroutine_stack_signature="9675f438050da6db",goroutine_state="chan_receive",service_name="leaky"} 0
# HELP goroutine_scrape_up 1 if the scrape succeeded, 0 if it failed.
# TYPE goroutine_scrape_up gauge
goroutine_scrape_up{goroutine_scrape_source="trace",service_name="leaky"} 1
# HELP goroutine_stack_aged_exits_total Goroutines that were aged and are gone.
# TYPE goroutine_stack_aged_exits_total counter
goroutine_stack_aged_exits_total{goroutine_entry_function_name="main.holdSession",service_name="leaky"} 12
`

func serve(t *testing.T, handler http.HandlerFunc) (client *http.Client, url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	client = newClient()
	t.Cleanup(server.Close)
	t.Cleanup(client.CloseIdleConnections)
	return client, server.URL + "/metrics"
}

func TestReadPage(t *testing.T) {
	client, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if accept := r.Header.Get("Accept"); !strings.HasPrefix(accept, "text/plain") {
			t.Errorf("accepts %q", accept)
		}
		_, _ = w.Write([]byte(tracePage))
	})
	r, err := readPage(t.Context(), client, url)
	if err != nil {
		t.Fatal(err)
	}
	if r.source != "trace" || r.trouble != "" || r.goroutines != 321 {
		t.Errorf("got source %q, trouble %q, %d goroutines", r.source, r.trouble, r.goroutines)
	}
	want := map[finding]bool{
		{
			group: group{"bf5d022b9ab2cd6d", "main.askSlowBackend"}, severity: probable, state: "chan_send",
			function: "main.askSlowBackend", file: "/src/examples/leaky/leaks.go", line: "90", count: 46, perHour: 6960.5,
		}: true,
		{group: group{"", "main.pollForever"}, severity: suspected, count: 45, perHour: 7200}: true,
	}
	for _, f := range r.findings {
		if !want[f] {
			t.Errorf("unexpected: %+v", f)
		}
		delete(want, f)
	}
	if len(want) > 0 {
		t.Errorf("missing: %+v", want)
	}
}

func TestReadingOfScrapes(t *testing.T) {
	for _, tc := range []struct {
		name, page, source, trouble string
	}{
		{"none yet", "", "", ""},
		{"counts only", "goroutine_scrape_up{goroutine_scrape_source=\"profile\"} 1\n", "profile", ""},
		{"failed", "goroutine_scrape_up{goroutine_scrape_source=\"trace\",reason=\"timeout\"} 0\n", "", "timeout"},
		{
			"fallen back", "goroutine_scrape_up{goroutine_scrape_source=\"trace\",reason=\"http_status\"} 0\n" +
				"goroutine_scrape_up{goroutine_scrape_source=\"profile\"} 1\n", "profile", "",
		},
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

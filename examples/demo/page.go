package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	// answerTime is how long an answer from loopback may take.
	answerTime = 5 * time.Second
	// maxPage bounds what is read of the metrics page, which is 100 KB long.
	maxPage = 16 << 20
)

// newClient returns a client that talks to loopback alone, so no proxy. Its idle
// connections must be closed.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{}, Timeout: answerTime}
}

// get returns the body of an answer with status 200.
func get(ctx context.Context, client *http.Client, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/plain; version=0.0.4")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return resp.Body, nil
}

// reading is what the metrics page says at one time.
type reading struct {
	// source is what the collector reads, trace or profile; empty before its
	// first success.
	source string
	// trouble is why the last scrape failed; empty if it did not.
	trouble string
	// goroutines is how many the service has.
	goroutines int
	// findings are in no particular order.
	findings []finding
}

// readPage fetches and reads the metrics page.
func readPage(ctx context.Context, client *http.Client, url string) (reading, error) {
	body, err := get(ctx, client, url)
	if err != nil {
		return reading{}, err
	}
	defer func() { _ = body.Close() }()
	page, err := parsePage(io.LimitReader(body, maxPage))
	if err != nil {
		return reading{}, fmt.Errorf("%s: %w", url, err)
	}
	return page.reading(), nil
}

// page is the samples of a metrics page by metric.
type page map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// parsePage reads the Prometheus text format.
func parsePage(r io.Reader) (page, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, err
	}
	p := make(page, len(families))
	for name, family := range families {
		for _, m := range family.GetMetric() {
			s := sample{labels: make(map[string]string, len(m.GetLabel()))}
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = l.GetValue()
			}
			// One of the three is there, and the others are zero. A metric
			// without a type is untyped.
			s.value = m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			p[name] = append(p[name], s)
		}
	}
	return p, nil
}

// reading picks out what the demonstration shows.
func (p page) reading() reading {
	var r reading
	for _, s := range p["goroutine_scrape_up"] {
		if s.value == 1 {
			r.source = p.source()
		} else {
			r.trouble = p.trouble()
		}
	}
	for _, s := range p["go_goroutine_count"] {
		r.goroutines += int(s.value)
	}
	r.findings = p.findings()
	return r
}

// source returns what is scraped. For a while after a change both are on the page, and
// the one that tells less is believed.
func (p page) source() string {
	var source string
	for _, s := range p["goroutine_scrape_duration_seconds"] {
		if source != "profile" {
			source = s.labels["goroutine_scrape_source"]
		}
	}
	return source
}

// trouble returns why most of the failed scrapes did fail.
func (p page) trouble() string {
	var worst sample
	for _, s := range p["goroutine_scrape_failures_total"] {
		if s.value > worst.value {
			worst = s
		}
	}
	return worst.labels["error_type"]
}

// findings joins the three metrics of what is flagged.
func (p page) findings() []finding {
	found := make(map[group]finding)
	for _, s := range p["goroutine_leak_severity"] {
		if s.value > 0 {
			f := newFinding(s.labels)
			f.severity = severity(s.value)
			found[f.group] = f
		}
	}
	join := func(metric string, set func(*finding, float64)) {
		for _, s := range p[metric] {
			if f, ok := found[newFinding(s.labels).group]; ok {
				set(&f, s.value)
				found[f.group] = f
			}
		}
	}
	join("goroutine_leak_count", func(f *finding, v float64) { f.count = v })
	join("goroutine_leak_growth_rate_per_hour", func(f *finding, v float64) { f.perHour = v })
	return slices.Collect(maps.Values(found))
}

// Package page tests the page in a browser.
package page

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var pictures = flag.String("pictures", "", "folder to write the pictures of the documentation to")

// TestInChromium opens three pages in Chromium: with three leaks, with 500 leaks of 10,000 instances, and with
// markup in names. `make page-check` installs what it needs.
func TestInChromium(t *testing.T) {
	shop := page.NewAggregator(page.Config{})
	end := pagetest.Shop(shop)
	fleet := page.NewAggregator(page.Config{})
	pagetest.Play(fleet, pagetest.Fleet(100, 100, 5, 2), 8*time.Hour, 2*time.Hour)
	if site := fleet.Site(time.Now()); len(site.Findings) != 500 {
		t.Fatalf("%d findings", len(site.Findings))
	}
	hostile := page.NewAggregator(page.Config{})
	playHostile(hostile)

	advance := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		end = end.Add(time.Minute)
		shop.ObserveBatch(end, func(func(finding.Point)) {})
	}))
	defer advance.Close()
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, err := w.Write([]byte(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>empty</title><p>nothing`))
		assert.NoError(t, err)
	}))
	defer empty.Close()
	arguments, err := json.Marshal(map[string]string{
		"shop": serve(t, shop), "fleet": serve(t, fleet), "hostile": serve(t, hostile), "advance": advance.URL, "empty": empty.URL, "out": *pictures,
	})
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), "node", "check.mjs", string(arguments))
	command.Stderr = os.Stderr
	output, err := command.Output()
	for line := range strings.Lines(string(output)) {
		t.Log(strings.TrimRight(line, "\n"))
	}
	require.NoError(t, err)
}

func serve(t *testing.T, m *page.Aggregator) string {
	h := page.NewHandler(m, page.Options{}, nil)
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		h.Close()
		server.Close()
	})
	return server.URL
}

// playHostile adds a leak with markup and long words in every name.
func playHostile(m *page.Aggregator) {
	attributes := func(key string) string {
		if key == telemetry.AttrLine || key == telemetry.AttrAgeMin {
			return "600"
		}
		return `<script>alert(1)</script>"'><img src=x onerror=alert(2)><iframe srcdoc="x">` + strings.Repeat("long", 50)
	}
	for n := range 9 {
		at := pagetest.Start.Add(time.Duration(n) * time.Minute)
		m.ObserveBatch(at, func(observe func(finding.Point)) {
			for _, metric := range []string{
				telemetry.GoroutineCount, telemetry.StackCount, telemetry.StackAgedCount, telemetry.LeakSeverity, telemetry.LeakCount,
				telemetry.ScrapeUp, telemetry.ScrapeFailures, telemetry.ProcessBuild, telemetry.OriginCreations,
			} {
				observe(finding.Point{Metric: metric, Resource: attributes, Attributes: attributes, At: at, Value: float64(n)})
			}
		})
	}
}

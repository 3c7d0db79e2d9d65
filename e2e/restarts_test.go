package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// Two receivers scrape one process, by traces and by profiles, which also pushes.
const restarted = `
receivers:
  otlp:
    protocols:
      http:
        endpoint: %[1]s
  goroutine/traces:
    collection_interval: 100ms
    aged_after: 100ms
    targets: [{endpoint: %[2]s, service_name: traced, capture: trace}]
  goroutine/profiles:
    collection_interval: 100ms
    aged_after: 100ms
    targets: [{endpoint: %[2]s, service_name: profiled, capture: profile}]

exporters:
  file:
    path: %[3]s
    flush_interval: 100ms

service:
  pipelines:
    metrics:
      receivers: [otlp, goroutine/traces, goroutine/profiles]
      exporters: [file]
  telemetry:
    metrics:
      level: none
`

// TestRestartsCountNothingTwice restarts the service twice and the collector twice, each
// while the other goes on. Whoever counts, no counter falls under one start timestamp,
// and none counts more than there was.
func TestRestartsCountNothingTwice(t *testing.T) {
	folder := t.TempDir()
	service := buildExample(t, "instrumented")
	otlp, pprof := loopback.FreeAddress(t), loopback.FreeAddress(t)

	c := &countings{series: make(map[series][]counted), starts: make(map[string]map[pcommon.Timestamp]bool)}
	collectors := 0
	startCollector := func() (stop func()) {
		collectors++
		output := filepath.Join(folder, fmt.Sprintf("%d.json", collectors))
		config := filepath.Join(folder, fmt.Sprintf("%d.yaml", collectors))
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, restarted, otlp, pprof, output), 0o600))
		c.files = append(c.files, &countedFile{path: output})
		return run(t, nil, collector, "--config", config)
	}
	startService := func() (stop func()) {
		return run(t, []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + otlp,
			"OTEL_METRIC_EXPORT_INTERVAL=100",
			"OTEL_SERVICE_NAME=pushed",
			"OTEL_GO_GOROUTINE_INTERVAL=100ms",
			"OTEL_GO_GOROUTINE_AGED_AFTER=100ms",
			"OTEL_GO_GOROUTINE_OVERHEAD_BUDGET=0.5",
		}, service, "-listen", pprof, "-for", "2m")
	}
	stopCollector, stopService := startCollector(), startService()
	c.await(t, 1)
	for n := range 2 {
		c.awaitResidents(t)
		stopService()
		stopService = startService()
		c.await(t, 2*n+2)
		stopCollector()
		stopCollector = startCollector()
		c.await(t, 2*n+3)
	}
	stopCollector()
	stopService()
	c.update(t)
	c.check(t)
	// Each life of the service is one for whoever pushes; each of service and collector
	// for a receiver.
	assert.Len(t, c.starts["pushed"], 3, "lives of the service that pushes")
	assert.Len(t, c.starts["traced"], 5, "lives that the receiver of traces has seen")
	assert.Len(t, c.starts["profiled"], 5, "lives that the receiver of profiles has seen")
}

// series is one stream of a counter.
type series struct{ service, instance, metric, attributes string }

// counted is one point of it.
type counted struct {
	at, start pcommon.Timestamp
	value     int64
}

// countings is all points of counters that the collectors have written.
type countings struct {
	files  []*countedFile
	series map[series][]counted
	// starts are the start timestamps of each service's stacks.
	starts map[string]map[pcommon.Timestamp]bool
	exits  map[string]int64 // that were counted since the last await, by service
	// profiled is how many goroutines the latest profile shows, and profiledAt when.
	profiled   int64
	profiledAt pcommon.Timestamp
}

// countedFile is what one collector writes.
type countedFile struct {
	path string
	read int
}

// await waits until the receivers have seen so many lives, and goroutines have left in
// the last one.
func (c *countings) await(t *testing.T, lives int) {
	t.Helper()
	c.exits = make(map[string]int64)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-again.C {
		c.update(t)
		if len(c.starts["profiled"]) >= lives && len(c.starts["traced"]) >= lives &&
			c.exits["pushed"] >= 3 && c.exits["traced"] >= 3 {
			return
		}
	}
	require.Failf(t, "nothing is counted within 30 s", "exits %v, lives %v, want %d", c.exits, c.starts, lives)
}

// enoughResidents is a number of goroutines of which most are leaked: some 12 are not.
const enoughResidents = 40

// awaitResidents waits until most goroutines of the service are leaked. Behind a restart
// they are gone, and from nothing else can a receiver of profiles tell it from a lost
// connection.
func (c *countings) awaitResidents(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.update(t)
		return c.profiled >= enoughResidents
	}, 30*time.Second, 100*time.Millisecond, "goroutines in a profile")
}

func (c *countings) update(t *testing.T) {
	t.Helper()
	for _, f := range c.files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			continue // not yet begun
		}
		data = data[f.read:]
		data = data[:bytes.LastIndexByte(data, '\n')+1] // the last is not yet whole
		f.read += len(data)
		for line := range bytes.Lines(data) {
			md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
			require.NoError(t, err)
			c.add(md)
		}
	}
}

func (c *countings) add(md pmetric.Metrics) {
	for _, resource := range md.ResourceMetrics().All() {
		attributes := resource.Resource().Attributes()
		service, instance := text(attributes, "service.name"), text(attributes, "service.instance.id")
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if !strings.HasPrefix(m.Name(), "goroutine.") || m.Type() != pmetric.MetricTypeSum {
					continue
				}
				for _, p := range m.Sum().DataPoints().All() {
					c.addPoint(series{service, instance, m.Name(), attributesText(p.Attributes())}, m, p)
				}
			}
		}
	}
}

func (c *countings) addPoint(s series, m pmetric.Metric, p pmetric.NumberDataPoint) {
	if m.Name() == "goroutine.stack.count" {
		if c.starts[s.service] == nil {
			c.starts[s.service] = make(map[pcommon.Timestamp]bool)
		}
		c.starts[s.service][p.StartTimestamp()] = true
		if s.service == "profiled" && p.Timestamp() > c.profiledAt {
			c.profiled, c.profiledAt = 0, p.Timestamp()
		}
		if s.service == "profiled" && p.Timestamp() == c.profiledAt {
			c.profiled += p.IntValue()
		}
	}
	if !m.Sum().IsMonotonic() {
		return
	}
	now := counted{p.Timestamp(), p.StartTimestamp(), p.IntValue()}
	before := counted{}
	if all := c.series[s]; len(all) > 0 && all[len(all)-1].start == now.start {
		before = all[len(all)-1]
	}
	if m.Name() == "goroutine.stack.aged.exits" && c.exits != nil {
		c.exits[s.service] += now.value - before.value
	}
	c.series[s] = append(c.series[s], now)
}

func attributesText(m pcommon.Map) string {
	keys := make([]string, 0, m.Len())
	for key, value := range m.All() {
		keys = append(keys, key+"="+value.AsString())
	}
	return strings.Join(keys, " ")
}

// check checks what holds of every counter.
func (c *countings) check(t *testing.T) {
	t.Helper()
	type life struct {
		service, instance string
		start             pcommon.Timestamp
	}
	exits, creations := make(map[life]int64), make(map[life]int64)
	for s, points := range c.series {
		last := make(map[pcommon.Timestamp]counted)
		for i, p := range points {
			if p.start == 0 || p.start > p.at {
				t.Errorf("%v: starts at %v, counted at %v", s, p.start, p.at)
			}
			if i > 0 && p.start < points[i-1].start {
				t.Errorf("%v: starts at %v after %v", s, p.start, points[i-1].start)
			}
			if before, ok := last[p.start]; ok && p.value < before.value {
				t.Errorf("%v: falls from %d to %d under one start", s, before.value, p.value)
			}
			last[p.start] = p
		}
		for start, p := range last {
			of := life{s.service, s.instance, start}
			switch s.metric {
			case "goroutine.stack.aged.exits":
				exits[of] += p.value
			case "goroutine.creations":
				creations[of] += p.value
			}
		}
	}
	// A hundred orders and three requests for pprof start some 280 goroutines a second.
	for of, n := range creations {
		age := time.Duration(c.lastOf(of.service, of.instance, of.start) - of.start)
		if most := 500*age.Seconds() + 300; float64(n) > most {
			t.Errorf("%v: %d creations in %v", of, n, age)
		}
	}
	for of, n := range exits {
		if of.service == "traced" && n > creations[of]+200 { // that were there before
			t.Errorf("%v: %d exits of %d creations", of, n, creations[of])
		}
	}
	assert.NotEmpty(t, exits)
	assert.NotEmpty(t, creations)
}

// lastOf returns when anything was last counted in a life.
func (c *countings) lastOf(service, instance string, start pcommon.Timestamp) (at pcommon.Timestamp) {
	for s, points := range c.series {
		if s.service != service || s.instance != instance {
			continue
		}
		for _, p := range points {
			if p.start == start {
				at = max(at, p.at)
			}
		}
	}
	return at
}

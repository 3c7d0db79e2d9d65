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

// restartsConfig has two receivers that scrape one process, by traces and by profiles. The process also
// pushes.
const restartsConfig = `
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

// TestRestartsCountNothingTwice restarts the service twice and the collector twice, while the other keeps
// running. No counter may decrease under one start timestamp, or exceed the number of goroutines.
func TestRestartsCountNothingTwice(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	service := buildExample(t, "instrumented")
	otlp, pprof := loopback.FreeAddress(t), loopback.FreeAddress(t)

	c := &counterLog{series: make(map[series][]counterPoint), starts: make(map[string]map[pcommon.Timestamp]bool)}
	collectors := 0
	startCollector := func() (stop func()) {
		collectors++
		output := filepath.Join(folder, fmt.Sprintf("%d.json", collectors))
		config := filepath.Join(folder, fmt.Sprintf("%d.yaml", collectors))
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, restartsConfig, otlp, pprof, output), 0o600))
		c.files = append(c.files, &outputFile{path: output})
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
	// A pushed stream starts with the service, a scraped one with the service or the collector.
	assert.Len(t, c.starts["pushed"], 3, "lives of the service that pushes")
	assert.Len(t, c.starts["traced"], 5, "lives that the receiver of traces has seen")
	assert.Len(t, c.starts["profiled"], 5, "lives that the receiver of profiles has seen")
}

// series identifies one stream of a counter.
type series struct{ service, instance, metric, attributes string }

// counterPoint is one point of a series.
type counterPoint struct {
	at, start pcommon.Timestamp
	value     int64
}

// counterLog has all points of counters that the collectors have written.
type counterLog struct {
	files  []*outputFile
	series map[series][]counterPoint
	// starts has the start timestamps of the stack counts of each service.
	starts map[string]map[pcommon.Timestamp]bool
	exits  map[string]int64 // counted since the last call of await, by service
	// profiled is the number of goroutines in the latest profile, profiledAt its time.
	profiled   int64
	profiledAt pcommon.Timestamp
}

// outputFile is the output of one collector.
type outputFile struct {
	path string
	read int
}

// await waits until the receivers have seen so many start timestamps, and goroutines have exited since
// this call.
func (c *counterLog) await(t *testing.T, lives int) {
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
	require.Failf(t, "no exits are counted within 30 s", "exits %v, lives %v, want %d", c.exits, c.starts, lives)
}

// enoughResidents is a number of goroutines most of which are leaked: about 12 are not.
const enoughResidents = 40

// awaitResidents waits until most goroutines of the service are leaked. A receiver of profiles can only
// distinguish a restart from a lost connection by their absence.
func (c *counterLog) awaitResidents(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.update(t)
		return c.profiled >= enoughResidents
	}, 30*time.Second, 100*time.Millisecond, "goroutines in a profile")
}

func (c *counterLog) update(t *testing.T) {
	t.Helper()
	for _, f := range c.files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			continue // not written yet
		}
		data = data[f.read:]
		data = data[:bytes.LastIndexByte(data, '\n')+1] // without an incomplete line
		f.read += len(data)
		for line := range bytes.Lines(data) {
			md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
			require.NoError(t, err)
			c.add(md)
		}
	}
}

func (c *counterLog) add(md pmetric.Metrics) {
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

func (c *counterLog) addPoint(s series, m pmetric.Metric, p pmetric.NumberDataPoint) {
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
	now := counterPoint{p.Timestamp(), p.StartTimestamp(), p.IntValue()}
	before := counterPoint{}
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

// check checks all counters.
func (c *counterLog) check(t *testing.T) {
	t.Helper()
	type life struct {
		service, instance string
		start             pcommon.Timestamp
	}
	exits, creations := make(map[life]int64), make(map[life]int64)
	for s, points := range c.series {
		last := make(map[pcommon.Timestamp]counterPoint)
		for i, p := range points {
			if p.start == 0 || p.start > p.at {
				t.Errorf("%v: starts at %v, counted at %v", s, p.start, p.at)
			}
			if i > 0 && p.start < points[i-1].start {
				t.Errorf("%v: starts at %v after %v", s, p.start, points[i-1].start)
			}
			if before, ok := last[p.start]; ok && p.value < before.value {
				t.Errorf("%v: decreases from %d to %d under one start", s, before.value, p.value)
			}
			last[p.start] = p
		}
		for start, p := range last {
			l := life{s.service, s.instance, start}
			switch s.metric {
			case "goroutine.stack.aged.exits":
				exits[l] += p.value
			case "goroutine.creations":
				creations[l] += p.value
			}
		}
	}
	// A hundred orders and three pprof requests start about 280 goroutines a second.
	for l, n := range creations {
		age := time.Duration(c.lastTime(l.service, l.instance, l.start) - l.start)
		if most := 500*age.Seconds() + 300; float64(n) > most {
			t.Errorf("%v: %d creations in %v", l, n, age)
		}
	}
	for l, n := range exits {
		if l.service == "traced" && n > creations[l]+200 { // existed before the first scrape
			t.Errorf("%v: %d exits of %d creations", l, n, creations[l])
		}
	}
	assert.NotEmpty(t, exits)
	assert.NotEmpty(t, creations)
}

// lastTime returns the time of the last point with a start timestamp.
func (c *counterLog) lastTime(service, instance string, start pcommon.Timestamp) (at pcommon.Timestamp) {
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

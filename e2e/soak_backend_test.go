package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// backend takes in OTLP over HTTP, unless it refuses, and keeps the sum of it.
type backend struct {
	url string
	// port is the server.port of the targets whose scrapes are counted, and self
	// the service.name of the process whose entries are kept.
	port, self string

	mu       sync.Mutex
	refuses  bool
	received received
	flagged  findings
	// instances has the highest severity of each service.instance.id.
	instances map[string]int64
	entries   map[string]int64
	scraped   time.Time // when the entries were
	// course has all that was ever received of the stacks of the watched process.
	course map[place][]told
}

// told is one number of a place at a time.
type told struct {
	at     time.Time
	metric string
	value  int64
}

// received is what has arrived.
type received struct {
	requests, refused int64
	// points are those that were received from targets, and flags those that the
	// processor has added.
	points, flags int64
	// scrapes are those of the counted targets that succeeded.
	scrapes int64
}

func newBackend(t *testing.T, port, self string) *backend {
	t.Helper()
	b := &backend{
		port:      port,
		self:      self,
		flagged:   findings{found: make(map[string]map[place]int64)},
		instances: make(map[string]int64),
		course:    make(map[place][]told),
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *backend) refuse(refuses bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuses = refuses
}

func (b *backend) soFar() received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.received
}

// census returns how many goroutines of each entry the watched process had when it was
// last scraped, and when that was.
func (b *backend) census() (entries map[string]int64, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries, b.scraped
}

// flags returns the highest severity of each place, by service, and of each instance.
func (b *backend) flags() (places map[string]map[place]int64, instances map[string]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	places = make(map[string]map[place]int64)
	for service, of := range b.flagged.found {
		places[service] = maps.Clone(of)
	}
	return places, maps.Clone(b.instances)
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	md, err := readExport(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !b.take(md) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	answer, _ := pmetricotlp.NewExportResponse().MarshalProto() // of nothing
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// readExport reads the whole request, so that its connection can be used again.
func readExport(r *http.Request) (pmetric.Metrics, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return pmetric.Metrics{}, err
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return pmetric.Metrics{}, err
	}
	request := pmetricotlp.NewExportRequest()
	err = request.UnmarshalProto(data)
	return request.Metrics(), err
}

// take takes in a request, unless it is refused.
func (b *backend) take(md pmetric.Metrics) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuses {
		b.received.refused++
		return false
	}
	b.received.requests++
	b.flagged.add(md)
	for _, resource := range md.ResourceMetrics().All() {
		b.takeResource(resource)
	}
	return true
}

func (b *backend) takeResource(resource pmetric.ResourceMetrics) {
	attributes := resource.Resource().Attributes()
	counted := text(attributes, "server.port") == b.port
	self := text(attributes, "service.name") == b.self
	for _, scope := range resource.ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			points := pointsOf(m)
			if !strings.Contains(m.Name(), ".leak.") && m.Name() != "goroutine.service.instance.count" {
				b.received.points += int64(points.Len())
			} else {
				b.received.flags += int64(points.Len())
			}
			switch name := m.Name(); {
			case name == "goroutine.leak.severity":
				b.takeSeverity(text(attributes, "service.instance.id"), points)
			case name == "goroutine.scrape.up" && counted:
				b.received.scrapes += points.At(0).IntValue()
			case name == "goroutine.entry.count" && self:
				b.takeEntries(points)
			}
			if self && isOfStacks(m.Name()) {
				b.takeCourse(m.Name(), points)
			}
		}
	}
}

func pointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}

func (b *backend) takeSeverity(instance string, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		b.instances[instance] = max(b.instances[instance], p.IntValue())
	}
}

func isOfStacks(metric string) bool {
	return strings.HasPrefix(metric, "goroutine.stack.") || strings.HasPrefix(metric, "goroutine.leak.")
}

func (b *backend) takeCourse(metric string, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		at := placeOf(p.Attributes())
		value := p.IntValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
			value = int64(p.DoubleValue())
		}
		b.course[at] = append(b.course[at], told{p.Timestamp().AsTime(), metric, value})
	}
}

// courseOf returns what was received of a place of the watched process, a line for each
// time, oldest first.
func (b *backend) courseOf(at place) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	course := b.course[at]
	slices.SortStableFunc(course, func(a, b told) int { return a.at.Compare(b.at) })
	var lines strings.Builder
	for i, is := range course {
		if i == 0 || !is.at.Equal(course[i-1].at) {
			fmt.Fprintf(&lines, "\n%s", is.at.Format(time.TimeOnly))
		}
		fmt.Fprintf(&lines, "  %s %d", strings.TrimPrefix(is.metric, "goroutine."), is.value)
	}
	return lines.String()
}

// takeEntries keeps the latest: requests that were refused come late.
func (b *backend) takeEntries(points pmetric.NumberDataPointSlice) {
	at := points.At(0).Timestamp().AsTime()
	if !at.After(b.scraped) {
		return
	}
	b.scraped = at
	b.entries = make(map[string]int64)
	for _, p := range points.All() {
		b.entries[text(p.Attributes(), "goroutine.entry.function.name")] = p.IntValue()
	}
}

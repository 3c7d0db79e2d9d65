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

// backend receives OTLP over HTTP, or refuses it with 503, and sums up what it has received.
type backend struct {
	url string
	// port is the server.port of the targets whose scrapes are counted, self the service.name of the
	// process whose entries are recorded.
	port, self string

	mu       sync.Mutex
	refuses  bool
	received received
	flagged  findings
	// instances has the highest severity of each service.instance.id.
	instances map[string]int64
	entries   map[string]int64
	scraped   time.Time // time of entries
	// history has all points of the stacks of the watched process.
	history map[place][]reading
}

// reading is the value of a metric at a time.
type reading struct {
	at     time.Time
	metric string
	value  int64
}

// received has the totals of a backend.
type received struct {
	requests, refused int64
	// points is the number of points from targets, flags that of points that the processor has added.
	points, flags int64
	// scrapes is the number of successful scrapes of the counted targets.
	scrapes int64
}

func newBackend(t *testing.T, port, self string) *backend {
	t.Helper()
	b := &backend{
		port:      port,
		self:      self,
		flagged:   findings{found: make(map[string]map[place]int64)},
		instances: make(map[string]int64),
		history:   make(map[place][]reading),
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

// totals returns what has been received so far.
func (b *backend) totals() received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.received
}

// census returns the number of goroutines of each entry in the last scrape of the watched process, and
// the time of that scrape.
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
	for service, severities := range b.flagged.found {
		places[service] = maps.Clone(severities)
	}
	return places, maps.Clone(b.instances)
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	md, err := readExport(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !b.add(md) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	answer, _ := pmetricotlp.NewExportResponse().MarshalProto() // empty
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// readExport reads the whole request, so that its connection can be reused.
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

// add adds the metrics of a request. It returns false if the backend refuses them.
func (b *backend) add(md pmetric.Metrics) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuses {
		b.received.refused++
		return false
	}
	b.received.requests++
	b.flagged.add(md)
	for _, resource := range md.ResourceMetrics().All() {
		b.addResource(resource)
	}
	return true
}

func (b *backend) addResource(resource pmetric.ResourceMetrics) {
	attributes := resource.Resource().Attributes()
	counted := text(attributes, "server.port") == b.port
	self := text(attributes, "service.name") == b.self
	for _, scope := range resource.ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			points := pointsOf(m)
			n := int64(points.Len())
			if m.Type() == pmetric.MetricTypeHistogram { // of the lifetimes in a trace for origins
				n = int64(m.Histogram().DataPoints().Len())
			}
			if !strings.Contains(m.Name(), ".leak.") && m.Name() != "goroutine.service.instance.count" {
				b.received.points += n
			} else {
				b.received.flags += n
			}
			switch name := m.Name(); {
			case name == "goroutine.leak.severity":
				b.addSeverity(text(attributes, "service.instance.id"), points)
			case name == "goroutine.scrape.up" && counted:
				b.received.scrapes += points.At(0).IntValue()
			case name == "goroutine.entry.count" && self:
				b.addEntries(points)
			}
			if self && isOfStacks(m.Name()) {
				b.addHistory(m.Name(), points)
			}
		}
	}
}

// pointsOf returns the points of a sum or a gauge. Other metrics have none.
func pointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints()
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	}
	return pmetric.NewNumberDataPointSlice()
}

func (b *backend) addSeverity(instance string, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		b.instances[instance] = max(b.instances[instance], p.IntValue())
	}
}

func isOfStacks(metric string) bool {
	return strings.HasPrefix(metric, "goroutine.stack.") || strings.HasPrefix(metric, "goroutine.leak.")
}

func (b *backend) addHistory(metric string, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		at := placeOf(p.Attributes())
		value := p.IntValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
			value = int64(p.DoubleValue())
		}
		b.history[at] = append(b.history[at], reading{p.Timestamp().AsTime(), metric, value})
	}
}

// historyOf returns all points of a place of the watched process, with a line for each time, oldest
// first.
func (b *backend) historyOf(at place) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	history := b.history[at]
	slices.SortStableFunc(history, func(a, b reading) int { return a.at.Compare(b.at) })
	var lines strings.Builder
	for i, r := range history {
		if i == 0 || !r.at.Equal(history[i-1].at) {
			fmt.Fprintf(&lines, "\n%s", r.at.Format(time.TimeOnly))
		}
		fmt.Fprintf(&lines, "  %s %d", strings.TrimPrefix(r.metric, "goroutine."), r.value)
	}
	return lines.String()
}

// addEntries keeps the latest entries. Requests that were refused before arrive out of order.
func (b *backend) addEntries(points pmetric.NumberDataPointSlice) {
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

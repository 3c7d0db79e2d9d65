package history

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// instance is the latest data of an instance of a service.
type instance struct {
	Name  string
	first time.Time // of its data
	last  time.Time
	seen  time.Time // arrival
	// step is the shortest time between two scrapes, of gaps many.
	step time.Duration
	gaps int
	// taken is the time of the scrape that contributed to the window, for each summed metric.
	taken      [summed]int64
	window     int64 // index of the last window to which it contributed
	latest     int64 // time of its latest scrape, Unix ns
	goroutines float64
	version    string
	address    string
	scrape     scrape
}

// scrape is the outcome of the scrapes of a target.
type scrape struct {
	known    bool
	up       bool
	since    time.Time // when up last changed
	at       time.Time
	failures map[string]float64
	reason   string // error type of the last failure
	failed   time.Time
	seconds  float64
	source   string
}

// maxErrorTypes bounds the error types of a target; the receiver has nine.
const maxErrorTypes = 16

// instance returns the instance of a point, adding it if necessary; nil if there are too many.
func (h *History) instance(s *service, p finding.Point, now time.Time) *instance {
	name := p.Instance()
	i := s.instances[name]
	if i == nil {
		if h.instances >= h.config.MaxInstances {
			return nil
		}
		name = strings.Clone(name)
		i = &instance{Name: name, first: p.At}
		s.instances[name] = i
		h.instances++
	}
	if p.At.After(i.last) {
		i.last = p.At
	}
	i.seen = now
	return i
}

// observe adds a point about the instance itself.
func (i *instance) observe(m metric, p finding.Point) {
	switch m {
	case scrapeUp:
		i.address = address(p)
		i.scrape.observe(p)
	case scrapeFailures:
		i.scrape.count(p)
	case scrapeDuration:
		i.scrape.seconds, i.scrape.source = p.Value, strings.Clone(p.Attributes.Value(keySource))
	case processBuild:
		if version := p.Attributes.Value(keyVersion); version != "" {
			i.version = strings.Clone(version)
		}
	}
}

func address(p finding.Point) string {
	host, port := p.Resource.Value(keyAddress), p.Resource.Value(keyPort)
	if host == "" || port == "" {
		return strings.Clone(host)
	}
	return host + ":" + port
}

func (s *scrape) observe(p finding.Point) {
	if p.At.Before(s.at) {
		return
	}
	up := p.Value >= 1
	if !s.known || up != s.up {
		s.since = p.At
	}
	s.known, s.up, s.at = true, up, p.At
}

// count sets the number of scrapes that failed with an error type. The first number includes failures
// before the instance was watched, so it is the reason only until another one increases.
func (s *scrape) count(p finding.Point) {
	kind := p.Attributes.Value(keyErrorType)
	before, known := s.failures[kind]
	if !known && (p.Value == 0 || len(s.failures) >= maxErrorTypes) {
		return // most targets never fail, and need no map
	}
	if s.failures == nil {
		s.failures = make(map[string]float64)
	}
	if p.Value > before && !p.At.Before(s.failed) {
		s.reason, s.failed = strings.Clone(kind), p.At
	}
	s.failures[strings.Clone(kind)] = p.Value
}

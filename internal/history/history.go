// Package history stores the data of a page other than findings: the last day of each group of
// goroutines in a service, the latest data of each instance, and the stacks of origins.
//
// Curves are stored per service and group, never per instance. An instance contributes
// to a window of time once, with the first of its scrapes in it, and windows are longer than
// the time between two scrapes. So a sum over ten thousand instances takes the memory of one.
//
// The package is pure: points carry their time, and Observe receives the time of arrival.
// Its memory is bounded for any input.
package history

import (
	"cmp"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// Config bounds the size of a History.
type Config struct {
	// MaxInstances bounds the instances of all services; 20,000 if 0.
	MaxInstances int
	// MaxGroups bounds the groups of goroutines of all services; 20,000 if 0.
	MaxGroups int
	// MaxSeries bounds the curves of all groups, of which a group has one to six; 40,000 if 0.
	MaxSeries int
	// MaxOrigins bounds the origins of all services; 1,000 if 0.
	MaxOrigins int
}

// The defaults. An instance takes some 500 bytes, a group 800, a curve 720, and an origin as
// much as its stacks have, 16 KiB at most.
const (
	defaultMaxInstances = 20_000
	defaultMaxGroups    = 20_000
	defaultMaxSeries    = 40_000
	defaultMaxOrigins   = 1000
)

// Dropped counts dropped points.
type Dropped struct {
	// Invalid counts points with an impossible number or time.
	Invalid int64
	// Beyond counts points of instances, groups or origins beyond the limits.
	Beyond int64
}

// History holds the data of all services. It is not safe for concurrent use.
type History struct {
	config    Config
	metrics   map[string]metric
	services  map[finding.Service]*service
	instances int
	groups    int
	series    int
	origins   int
	dropped   Dropped
	// begun is when the first group of goroutines arrived, and judged is set once a detector has
	// reported on any service.
	begun  time.Time
	judged bool
}

// New returns an empty History.
func New(c Config) *History {
	c.MaxInstances = cmp.Or(c.MaxInstances, defaultMaxInstances)
	c.MaxGroups = cmp.Or(c.MaxGroups, defaultMaxGroups)
	c.MaxSeries = cmp.Or(c.MaxSeries, defaultMaxSeries)
	c.MaxOrigins = cmp.Or(c.MaxOrigins, defaultMaxOrigins)
	return &History{config: c, metrics: metricsByName(), services: make(map[finding.Service]*service)}
}

// metric identifies the metric of a point.
type metric uint8

const (
	irrelevant metric = iota
	stackCount
	stackAged
	stackExits
	entryCount
	entryAged
	entryExits
	goroutines
	// summed is the number of metrics above, which are summed over instances.
	summed
	scrapeUp
	scrapeFailures
	scrapeDuration
	processBuild
	serviceInstances
	leakSeverity
)

// sources are the metrics that a History reads, with the suffix that Prometheus adds to the name.
var sources = [...]struct {
	name, suffix string
	is           metric
}{
	{telemetry.StackCount, "", stackCount},
	{telemetry.StackAgedCount, "", stackAged},
	{telemetry.StackAgedExits, "_total", stackExits},
	{telemetry.EntryCount, "", entryCount},
	{telemetry.EntryAgedCount, "", entryAged},
	{telemetry.EntryAgedExits, "_total", entryExits},
	{telemetry.GoroutineCount, "", goroutines},
	{telemetry.ScrapeUp, "", scrapeUp},
	{telemetry.ScrapeFailures, "_total", scrapeFailures},
	{telemetry.ScrapeDuration, "_seconds", scrapeDuration},
	{telemetry.ProcessBuild, "", processBuild},
	{telemetry.ServiceInstanceCount, "", serviceInstances},
	{telemetry.LeakSeverity, "", leakSeverity},
}

func metricsByName() map[string]metric {
	names := make(map[string]metric, 4*len(sources))
	for _, s := range sources {
		for _, name := range finding.Spellings(s.name, s.suffix) {
			names[name] = s.is
		}
	}
	return names
}

// The keys of attributes, in addition to those of package finding.
var (
	keySignature = finding.NewKey(telemetry.AttrSignature)
	keyAgeMin    = finding.NewKey(telemetry.AttrAgeMin)
	keyErrorType = finding.NewKey(telemetry.AttrErrorType)
	keySource    = finding.NewKey(telemetry.AttrScrapeSource)
	keyAddress   = finding.NewKey("server.address")
	keyPort      = finding.NewKey("server.port")
	keyVersion   = finding.NewKey(telemetry.AttrServiceVersion)
)

// Reads reports whether a History uses the metric with this name.
func (h *History) Reads(name string) bool { return h.metrics[name] != irrelevant }

// maxAhead is the maximum time by which a point may be ahead of its arrival. A later one would close
// all windows too early.
const maxAhead = 10 * time.Minute

// Observe adds a point that arrived at now. It ignores metrics that a History does not read.
func (h *History) Observe(p finding.Point, now time.Time) {
	m := h.metrics[p.Metric]
	if m == irrelevant {
		return
	}
	if !p.Valid() || p.At.After(now.Add(maxAhead)) {
		h.dropped.Invalid++
		return
	}
	s := h.service(p.Service())
	if s == nil {
		h.dropped.Beyond++
		return
	}
	if p.At.After(s.last) {
		s.last = p.At
	}
	if s.first.IsZero() {
		s.first = p.At
	}
	switch m {
	case serviceInstances:
		s.judged, h.judged = p.At, true
		return // it is of the service, not of an instance
	case leakSeverity:
		s.judged, h.judged = p.At, true
	case stackCount:
		if h.begun.IsZero() {
			h.begun = now
		}
	}
	i := h.instance(s, p, now)
	if i == nil {
		h.dropped.Beyond++
		return
	}
	if m < summed {
		h.sum(s, i, m, p)
		return
	}
	i.observe(m, p)
}

// IsUnjudged reports whether groups of goroutines have arrived for d before now, and never a report of
// a detector.
func (h *History) IsUnjudged(now time.Time, d time.Duration) bool {
	return !h.judged && !h.begun.IsZero() && now.Sub(h.begun) > d
}

// service returns the data of a service, adding it if necessary; nil if there are too many.
func (h *History) service(name finding.Service) *service {
	s := h.services[name]
	if s == nil && len(h.services) < h.config.MaxInstances {
		s = newService(name)
		h.services[s.name] = s
	}
	return s
}

// Dropped returns the number of points dropped so far.
func (h *History) Dropped() Dropped { return h.dropped }

// forgetAfter is the time without data after which an entry is deleted: the page shows a day.
const forgetAfter = 24 * time.Hour

// Sweep deletes entries without data for forgetAfter.
func (h *History) Sweep(now time.Time) {
	for name, s := range h.services {
		for key, i := range s.instances {
			if now.Sub(i.seen) > forgetAfter {
				delete(s.instances, key)
				h.instances--
			}
		}
		h.sweepGroups(s)
		h.sweepOrigins(s, now)
		if len(s.instances) == 0 && now.Sub(s.last) > forgetAfter {
			h.drop(s)
			delete(h.services, name)
		}
	}
}

// drop subtracts a deleted service from the totals that are bounded.
func (h *History) drop(s *service) {
	s.eachCurve(func(*curve) { h.series-- })
	h.instances -= len(s.instances)
	h.groups -= len(s.lines)
	h.origins -= len(s.origins)
}

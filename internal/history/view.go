package history

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Service is the current data of a service.
type Service struct {
	Service     finding.Service
	First, Last time.Time // of its data
	// Judged is when a detector last reported on the service, zero if never.
	Judged time.Time
	// Aged reports whether the ages of its goroutines are known.
	Aged       bool
	Goroutines float64
	Instances  []Instance // those that are down first, then by name
	Lines      []Line     // most goroutines first
	Chart      Chart      // of all goroutines
}

// Instance is the latest data of an instance.
type Instance struct {
	Name, Version, Address string
	First, Last            time.Time
	Goroutines             float64
	// Scraped reports whether the instance is a target of the receiver. Other instances push.
	Scraped bool
	Up      bool
	Since   time.Time // when Up last changed
	// Reason is the error type of the last failed scrape, and Failed when that was.
	Reason   string
	Failed   time.Time
	Failures float64
	Source   string // trace or profile
	Took     time.Duration
	Quiet    bool // no data has come for several scrapes
}

// Line is the current number of goroutines at a line.
type Line struct {
	Place finding.Place
	Count float64
}

// Chart is the number of goroutines over time. Values are NaN if unknown.
type Chart struct {
	Start time.Time
	Step  time.Duration
	Count []float64
	Bands []Band // youngest first
	// Exits is the number of aged goroutines that exited in each step.
	Exits []float64
}

// Band is the number of goroutines in an age band over time.
type Band struct {
	Min    time.Duration
	Values []float64
}

// Services returns all services, by name.
func (h *History) Services() []Service {
	all := make([]Service, 0, len(h.services))
	for _, s := range h.services {
		all = append(all, s.view())
	}
	slices.SortFunc(all, func(a, b Service) int { return compareServices(a.Service, b.Service) })
	return all
}

func compareServices(a, b finding.Service) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Environment, b.Environment),
		cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.K8sNamespace, b.K8sNamespace))
}

func (s *service) view() Service {
	v := Service{Service: s.name, First: s.first, Last: s.last, Judged: s.judged, Aged: s.aged, Goroutines: s.total.now, Chart: s.timeChart()}
	v.Chart.Count = s.values(s.total.count)
	if !s.window.done {
		v.Goroutines = s.total.pending
	}
	for _, i := range s.instances {
		if s.isInstance(i) {
			v.Instances = append(v.Instances, i.view(s.last))
		}
	}
	slices.SortFunc(v.Instances, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Name, b.Name))
	})
	named := 0.0
	for _, l := range s.lines {
		count := l.now
		if !s.window.done {
			count = l.pending
		}
		if count > 0 && l.place.State != "" {
			v.Lines = append(v.Lines, Line{l.place, count})
			named += count
		}
	}
	slices.SortFunc(v.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Place.Function, b.Place.Function),
			cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.State, b.Place.State), cmp.Compare(a.Place.Entry, b.Place.Entry))
	})
	if v.Goroutines == 0 {
		v.Goroutines = named // without a metric of the total
	}
	return v
}

// isInstance reports whether an instance is scraped or sends goroutine counts. Other points, such as
// verdicts, may have an instance too.
func (s *service) isInstance(i *instance) bool {
	return i.scrape.known || i.latest != 0
}

// rank orders instances: those that are down first.
func (i Instance) rank() int {
	switch {
	case i.Scraped && !i.Up:
		return 0
	case i.Quiet:
		return 1
	}
	return 2
}

func (i *instance) view(now time.Time) Instance {
	v := Instance{
		Name: i.Name, Version: i.version, Address: i.scrapeAddress(), First: i.first, Last: i.last, Goroutines: i.goroutines,
		Scraped: i.scrape.known, Up: i.scrape.up, Since: i.scrape.since, Reason: i.scrape.reason, Failed: i.scrape.failed,
		Source: i.scrape.source, Took: time.Duration(min(i.scrape.seconds, 3600) * float64(time.Second)),
		Quiet: now.Sub(i.last) > max(minQuiet, 3*i.step),
	}
	for _, n := range i.scrape.failures {
		v.Failures += n
	}
	return v
}

// minQuiet is the minimum time without data after which an instance is quiet, more than one or two
// failed scrapes.
const minQuiet = 10 * time.Minute

func (i *instance) scrapeAddress() string {
	if i.address == i.Name {
		return ""
	}
	return i.address
}

func (s *service) timeChart() Chart { return Chart{Start: s.time.start, Step: s.time.width} }

// values returns the values of a curve, NaN if they are unknown or the curve is nil.
func (s *service) values(c *curve) []float64 {
	values := make([]float64, s.time.n)
	for i := range values {
		values[i] = math.NaN()
		if c != nil {
			values[i] = float64(c[i])
		}
	}
	return values
}

// Chart returns the sum of the groups of all places of a finding. An entry includes its lines.
func (h *History) Chart(service finding.Service, places []finding.Place) Chart {
	s := h.services[service]
	if s == nil {
		return Chart{}
	}
	groups := make(map[string]*group)
	for _, place := range places {
		if g := s.groups[place.Group()]; g != nil {
			groups[g.name] = g
		}
	}
	for _, place := range places {
		if entry := (finding.Place{Entry: place.Entry}).Group(); !place.IsEntry() && groups[entry] != nil {
			delete(groups, place.Group())
		}
	}
	c := s.timeChart()
	var exits []float64
	bands := make([][]float64, len(s.bounds))
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		c.Count = s.addCurve(c.Count, g.curve[partCount])
		for i := range s.bounds {
			bands[i] = s.addCurve(bands[i], g.curve[partAged+part(i)])
		}
		exits = s.addCurve(exits, g.curve[partExits])
	}
	for i, bound := range s.bounds {
		if bands[i] != nil {
			c.Bands = append(c.Bands, Band{time.Duration(bound * float64(time.Second)), bands[i]})
		}
	}
	slices.SortFunc(c.Bands, func(a, b Band) int { return cmp.Compare(a.Min, b.Min) })
	c.Exits = increases(exits)
	return c
}

// addCurve adds a curve to values. The sum is unknown only if both values are.
func (s *service) addCurve(to []float64, c *curve) []float64 {
	if c == nil {
		return to
	}
	values := s.values(c)
	if to == nil {
		return values
	}
	for i, v := range values {
		switch {
		case math.IsNaN(to[i]):
			to[i] = v
		case !math.IsNaN(v):
			to[i] += v
		}
	}
	return to
}

// increases returns the increase of a counter at each value. A counter falls when a process is gone.
func increases(counter []float64) []float64 {
	increases := make([]float64, len(counter))
	before := math.NaN()
	for i, v := range counter {
		if !math.IsNaN(v) {
			if v > before {
				increases[i] = v - before
			}
			before = v
		}
	}
	return increases
}

// Origins returns the origins of the groups of all places of a finding. Those in which the start of a
// leaked goroutine was seen come first, then the latest.
func (h *History) Origins(service finding.Service, places []finding.Place) []Origin {
	s := h.services[service]
	if s == nil {
		return nil
	}
	wanted := make(map[string]bool, len(places))
	for _, place := range places {
		wanted[place.Group()] = true
	}
	var all []Origin
	for key, o := range s.origins {
		if wanted[key.group] {
			all = append(all, *o)
		}
	}
	slices.SortFunc(all, func(a, b Origin) int {
		return cmp.Or(cmp.Compare(caughtRank(a.Caught), caughtRank(b.Caught)), b.At.Compare(a.At), cmp.Compare(a.Caught, b.Caught), cmp.Compare(a.Text, b.Text))
	})
	return all
}

func caughtRank(caught string) int {
	if caught == caughtLeaked {
		return 0
	}
	return 1
}

// caughtLeaked is the value of goroutine.origin.caught if the start of a leaked goroutine was seen.
const caughtLeaked = "leaked_birth"

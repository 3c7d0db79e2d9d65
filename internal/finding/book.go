package finding

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Config configures a Book.
type Config struct {
	// GoroutineLimit and MemoryLimit, in bytes, are what an instance must not exceed; 0 if
	// unknown.
	GoroutineLimit int
	MemoryLimit    int64
	// MaxStale is the time without data after which a finding ends; 24 h if 0.
	MaxStale time.Duration
	// MaxFindings and MaxProcesses bound the state; 1,000 and 20,000 if 0.
	MaxFindings, MaxProcesses int
}

// The defaults bound the state to some 15 MB: a finding takes 2 KiB and 500 bytes for each
// instance, a process 600 bytes.
const (
	defaultMaxStale     = 24 * time.Hour
	defaultMaxFindings  = 1000
	defaultMaxProcesses = 20_000
)

// Dropped counts the points that a Book has dropped.
type Dropped struct {
	// Invalid counts points with an impossible number or time.
	Invalid int64
	// Beyond counts points of findings or processes beyond the limits.
	Beyond int64
}

// Book holds what is known of the leaks of all services. It is not safe for concurrent use.
type Book struct {
	config    Config
	metrics   map[string]metric
	services  map[Service]*service
	processes int
	records   int
	swept     time.Time
	dropped   Dropped
	batch     []reading // since the last Advance
	full      bool      // no finding can give way before the next Advance
}

// reading is a point that waits to be settled.
type reading struct {
	metric metric
	point  Point
}

// New returns an empty Book.
func New(c Config) *Book {
	c.MaxStale = cmp.Or(c.MaxStale, defaultMaxStale)
	c.MaxFindings = cmp.Or(c.MaxFindings, defaultMaxFindings)
	c.MaxProcesses = cmp.Or(c.MaxProcesses, defaultMaxProcesses)
	return &Book{config: c, metrics: metricsByName(), services: make(map[Service]*service)}
}

// Reads reports whether a Book uses the metric with this name.
func (b *Book) Reads(metric string) bool { return b.metrics[metric] != irrelevant }

// Observe adds a point to the batch. It ignores metrics that the Book does not read. The
// Book may call the Attributes of the point until Advance returns.
func (b *Book) Observe(p Point) {
	m := b.metrics[p.Metric]
	if m == irrelevant {
		return
	}
	if !p.valid() {
		b.dropped.Invalid++
		return
	}
	if (m == stackAged || m == entryAged) && b.records == 0 {
		return // most of all points, and of use for findings only
	}
	p.At = p.At.UTC()
	b.batch = append(b.batch, reading{m, p})
}

// settle reads the points of the batch in the order of their time, so that the order of arrival
// does not matter. Points that tell a process from its predecessor come first.
func (b *Book) settle(now time.Time) {
	slices.SortStableFunc(b.batch, func(x, y reading) int {
		return cmp.Or(x.point.At.Compare(y.point.At), cmp.Compare(x.metric.rank(), y.metric.rank()))
	})
	for _, r := range b.batch {
		b.take(r.metric, r.point, now)
	}
	clear(b.batch)
	b.batch = b.batch[:0]
}

func (b *Book) take(m metric, p Point, now time.Time) {
	s := b.service(serviceOf(p))
	if s == nil {
		b.dropped.Beyond++
		return
	}
	switch m {
	case serviceSeverity, serviceCount, serviceRate, serviceInstances:
		b.observeWhole(s, m, p)
	case instances:
		s.touched = true
		s.Instances.set(p.At, p.Value)
	default:
		b.observeProcess(s, m, p, now)
	}
}

// service returns the state of a service, nil if there are too many.
func (b *Book) service(name Service) *service {
	s := b.services[name]
	if s == nil && len(b.services) < b.config.MaxProcesses {
		s = newService(name, &b.config)
		b.services[name] = s
	}
	return s
}

func (b *Book) observeWhole(s *service, m metric, p Point) {
	r := b.record(s, p)
	if r == nil {
		return
	}
	s.touched = true
	if place := placeOf(p); len(r.Places) == 0 && place != (Place{}) {
		r.Places[place.key()] = place // until a process tells the line
		r.Groups[place.group()] = true
	}
	if r.Whole == nil {
		r.Whole = &whole{}
	}
	r.Whole.observe(m, p)
	r.touched = r.touched || m == serviceSeverity && p.Value > 0
}

func (b *Book) observeProcess(s *service, m metric, p Point, now time.Time) {
	name := instanceOf(p)
	of := s.Processes[name]
	if of != nil && of.newer(m, p) {
		of.advance(now)
		s.lose(name, of, now)
		delete(s.Processes, name)
		b.processes--
		of = nil
	}
	if of == nil {
		if b.processes >= b.config.MaxProcesses {
			b.dropped.Beyond++
			return
		}
		of = &process{}
		s.Processes[name] = of
		b.processes++
	}
	s.touched = true
	of.observe(m, p)
	switch m {
	case leakSeverity, leakCount, leakRate, leakStart, leakAge, leakExits:
		b.observeRow(s, m, p, name)
	case stackAged, entryAged:
		s.observeCensus(m, p, name, of)
	case originCreations, originWakeups, originTraced:
		s.observeOrigin(m, p, of)
	}
}

func (b *Book) observeRow(s *service, m metric, p Point, process string) {
	r := b.record(s, p)
	if r == nil {
		return
	}
	w := r.row(process, placeOf(p))
	if w == nil {
		b.dropped.Beyond++
		return
	}
	w.observe(m, p)
	r.touched = r.touched || m == leakSeverity && p.Value > 0
}

// record returns the record of the finding of a point, nil if there are too many. A finding
// that is over makes room for a new one.
func (b *Book) record(s *service, p Point) *record {
	id := p.Attributes.get(keyID)
	if id == "" {
		b.dropped.Invalid++
		return nil
	}
	r := s.Records[id]
	if r != nil {
		return r
	}
	if b.records >= b.config.MaxFindings && (b.full || !b.makeRoom()) {
		b.full = true // to look at all findings for each of a million IDs would take minutes
		b.dropped.Beyond++
		return nil
	}
	r = newRecord(id)
	s.Records[id] = r
	b.records++
	return r
}

// makeRoom deletes the finding that has been over for longest. It reports whether there was
// one.
func (b *Book) makeRoom() bool {
	var oldest *record
	var of *service
	for _, s := range b.services {
		for _, r := range s.Records {
			if (r.Phase == closed || r.Phase == ended) && (oldest == nil || r.Over.Before(oldest.Over)) {
				oldest, of = r, s
			}
		}
	}
	if oldest == nil {
		return false
	}
	delete(of.Records, oldest.ID)
	b.records--
	return true
}

// sweepInterval is how often Advance looks at services without new points.
const sweepInterval = time.Minute

// Advance reads the points since the last call, and returns what changed, in the order of time.
// It must be called once a batch; now is the time at which the batch arrived.
func (b *Book) Advance(now time.Time) []Change {
	now = now.Round(0).UTC() // the state must be the same after a restart
	sweep := now.Sub(b.swept) >= sweepInterval || now.Before(b.swept)
	if sweep {
		b.swept = now
	}
	b.full = false
	b.settle(now)
	var changes []Change
	for name, s := range b.services {
		if !sweep && !s.touched {
			continue
		}
		processes, records := len(s.Processes), len(s.Records)
		changes = append(changes, s.advance(now)...)
		b.processes += len(s.Processes) - processes
		b.records += len(s.Records) - records
		if len(s.Processes) == 0 && len(s.Records) == 0 {
			delete(b.services, name)
		}
	}
	slices.SortFunc(changes, func(x, y Change) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Finding.ID, y.Finding.ID))
	})
	return changes
}

// Findings returns all findings, the worst first, and those that are over last.
func (b *Book) Findings() []Finding {
	var all []Finding
	for _, s := range b.services {
		for _, r := range s.Records {
			if r.Phase != unflagged {
				all = append(all, r.finding(s))
			}
		}
	}
	rank := map[Status]int{Open: 0, Waiting: 1, Closed: 2, Over: 3}
	slices.SortFunc(all, func(x, y Finding) int {
		return cmp.Or(
			cmp.Compare(rank[x.Status], rank[y.Status]),
			cmp.Compare(y.Severity, x.Severity),
			cmp.Compare(y.Count, x.Count),
			cmp.Compare(x.ID, y.ID),
		)
	})
	return all
}

// Dropped returns the number of points that were dropped so far.
func (b *Book) Dropped() Dropped { return b.dropped }

// Size returns the number of findings and processes in the state.
func (b *Book) Size() (findings, processes int) { return b.records, b.processes }

// sorted returns the keys of a map in order, for results that do not depend on the order of the
// map.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package finding

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Config configures a Tracker.
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

// Dropped counts the points that a Tracker has dropped.
type Dropped struct {
	// Invalid counts points with an impossible number or time.
	Invalid int64
	// Beyond counts points of findings or processes beyond the limits.
	Beyond int64
}

// Tracker tracks the leaks of all services. It is not safe for concurrent use.
type Tracker struct {
	config    Config
	metrics   map[string]metric
	services  map[Service]*service
	processes int
	records   int
	swept     time.Time
	dropped   Dropped
	batch     []reading // since the last Advance
	full      bool      // makeRoom failed since the last Advance
}

// reading is a point of the batch with its metric.
type reading struct {
	metric metric
	point  Point
}

// NewTracker returns an empty Tracker.
func NewTracker(c Config) *Tracker {
	c.MaxStale = cmp.Or(c.MaxStale, defaultMaxStale)
	c.MaxFindings = cmp.Or(c.MaxFindings, defaultMaxFindings)
	c.MaxProcesses = cmp.Or(c.MaxProcesses, defaultMaxProcesses)
	return &Tracker{config: c, metrics: metricsByName(), services: make(map[Service]*service)}
}

// Reads reports whether a Tracker uses the metric with this name.
func (t *Tracker) Reads(metric string) bool { return t.metrics[metric] != irrelevant }

// Observe adds a point to the batch. It ignores metrics that the Tracker does not read. The
// Tracker may call the Attributes of the point until Advance returns.
func (t *Tracker) Observe(p Point) {
	m := t.metrics[p.Metric]
	if m == irrelevant {
		return
	}
	if !p.valid() {
		t.dropped.Invalid++
		return
	}
	if (m == stackAged || m == entryAged) && t.records == 0 {
		return // these are most points, and only findings need them
	}
	p.At = p.At.UTC()
	t.batch = append(t.batch, reading{m, p})
}

// applyBatch applies the points of the batch in the order of their time, so that the order of
// arrival does not matter. Points that distinguish a process from its predecessor come first.
func (t *Tracker) applyBatch(now time.Time) {
	slices.SortStableFunc(t.batch, func(x, y reading) int {
		return cmp.Or(x.point.At.Compare(y.point.At), cmp.Compare(x.metric.rank(), y.metric.rank()))
	})
	for _, r := range t.batch {
		t.apply(r.metric, r.point, now)
	}
	clear(t.batch)
	t.batch = t.batch[:0]
}

func (t *Tracker) apply(m metric, p Point, now time.Time) {
	s := t.service(serviceOf(p))
	if s == nil {
		t.dropped.Beyond++
		return
	}
	switch m {
	case serviceSeverity, serviceCount, serviceRate, serviceInstances:
		t.observeWhole(s, m, p)
	case instances:
		s.touched = true
		s.Instances.set(p.At, p.Value)
	default:
		t.observeProcess(s, m, p, now)
	}
}

// service returns the state of a service, nil if there are too many.
func (t *Tracker) service(name Service) *service {
	s := t.services[name]
	if s == nil && len(t.services) < t.config.MaxProcesses {
		s = newService(name, &t.config)
		t.services[name] = s
	}
	return s
}

func (t *Tracker) observeWhole(s *service, m metric, p Point) {
	r := t.record(s, p)
	if r == nil {
		return
	}
	s.touched = true
	if place := placeOf(p); len(r.Places) == 0 && place != (Place{}) {
		r.Places[place.key()] = place // without a line, which only processes send
		r.Groups[place.group()] = true
	}
	if r.Whole == nil {
		r.Whole = &whole{}
	}
	r.Whole.observe(m, p)
	r.touched = r.touched || m == serviceSeverity && p.Value > 0
}

func (t *Tracker) observeProcess(s *service, m metric, p Point, now time.Time) {
	name := instanceOf(p)
	proc := s.Processes[name]
	if proc != nil && proc.newer(m, p) {
		proc.advance(now)
		s.removeProcess(name, proc, now)
		delete(s.Processes, name)
		t.processes--
		proc = nil
	}
	if proc == nil {
		if t.processes >= t.config.MaxProcesses {
			t.dropped.Beyond++
			return
		}
		proc = &process{}
		s.Processes[name] = proc
		t.processes++
	}
	s.touched = true
	proc.observe(m, p)
	switch m {
	case leakSeverity, leakCount, leakRate, leakStart, leakAge, leakExits:
		t.observeRow(s, m, p, name)
	case stackAged, entryAged:
		s.observeCensus(m, p, name, proc)
	case originCreations, originWakeups, originTraced:
		s.observeOrigin(m, p, proc)
	}
}

func (t *Tracker) observeRow(s *service, m metric, p Point, process string) {
	r := t.record(s, p)
	if r == nil {
		return
	}
	w := r.row(process, placeOf(p))
	if w == nil {
		t.dropped.Beyond++
		return
	}
	w.observe(m, p)
	r.touched = r.touched || m == leakSeverity && p.Value > 0
}

// record returns the record of the finding of a point, nil if there are too many. A finding
// that is over makes room for a new one.
func (t *Tracker) record(s *service, p Point) *record {
	id := p.Attributes.get(keyID)
	if id == "" {
		t.dropped.Invalid++
		return nil
	}
	r := s.Records[id]
	if r != nil {
		return r
	}
	if t.records >= t.config.MaxFindings && (t.full || !t.makeRoom()) {
		t.full = true // searching all findings again for each of a million IDs would take minutes
		t.dropped.Beyond++
		return nil
	}
	r = newRecord(id)
	s.Records[id] = r
	t.records++
	return r
}

// makeRoom deletes the finding that has been over for longest. It returns false if none is over.
func (t *Tracker) makeRoom() bool {
	var oldest *record
	var owner *service
	for _, s := range t.services {
		for _, r := range s.Records {
			if (r.Phase == closed || r.Phase == ended) && (oldest == nil || r.Over.Before(oldest.Over)) {
				oldest, owner = r, s
			}
		}
	}
	if oldest == nil {
		return false
	}
	delete(owner.Records, oldest.ID)
	t.records--
	return true
}

// sweepInterval is the time between two calls of Advance that process services without new points.
const sweepInterval = time.Minute

// Advance applies the points since the last call, and returns the changes in the order of time.
// It must be called once after each batch; now is the time at which the batch arrived.
func (t *Tracker) Advance(now time.Time) []Change {
	now = now.Round(0).UTC() // the state must be the same after a restart
	sweep := now.Sub(t.swept) >= sweepInterval || now.Before(t.swept)
	if sweep {
		t.swept = now
	}
	t.full = false
	t.applyBatch(now)
	var changes []Change
	for name, s := range t.services {
		if !sweep && !s.touched {
			continue
		}
		processes, records := len(s.Processes), len(s.Records)
		changes = append(changes, s.advance(now)...)
		t.processes += len(s.Processes) - processes
		t.records += len(s.Records) - records
		if len(s.Processes) == 0 && len(s.Records) == 0 {
			delete(t.services, name)
		}
	}
	slices.SortFunc(changes, func(x, y Change) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Finding.ID, y.Finding.ID))
	})
	return changes
}

// Findings returns all findings, worst first, and those that are over last.
func (t *Tracker) Findings() []Finding {
	var all []Finding
	for _, s := range t.services {
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
func (t *Tracker) Dropped() Dropped { return t.dropped }

// Size returns the number of findings and processes in the state.
func (t *Tracker) Size() (findings, processes int) { return t.records, t.processes }

// sorted returns the keys of a map in order, for results that do not depend on the order of the
// map.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

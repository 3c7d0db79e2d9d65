// Package scout decides when to take a trace to find out where goroutines come from: of which
// process, for how long, and for which of the groups that accumulate goroutines. It keeps the
// result for each group of a service, so that only one of its processes has to be traced.
// docs/decisions/origins.md explains the rules.
//
// It is pure: reports, results and times in, plans and origins out.
package scout

import (
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Rules are set by the user.
type Rules struct {
	// Interval is the time between two observations of a process.
	Interval time.Duration
	// Duration is the length of the first trace for a group. Later ones take up to five
	// times as long, but at most half of Interval.
	Duration time.Duration
	// Budget is the average CPU time of the traces of one process, as a share of one core.
	Budget float64
}

// Defaults.
const (
	// DefaultDuration is long enough for several births of the leaked kind, most of which
	// end well. One second would do, except for coroutines: their births are only known
	// from the second generation of a trace, which begins after a second.
	DefaultDuration = 1200 * time.Millisecond
	// DefaultBudget is less than a thousandth of one core: a plain service can be traced
	// for one second in twenty.
	DefaultBudget = 0.0005
	// DefaultMaxSize is the largest trace, in bytes: that of a server with 40,000 births a
	// second. Most services write less than 100 KB.
	DefaultMaxSize = 8 << 20
)

// Limits of Rules.Duration. A shorter trace has hardly any births, and later traces, five times as
// long, keep other tools from tracing.
const (
	MinDuration = 100 * time.Millisecond
	MaxDuration = 10 * time.Second
)

// Limits.
const (
	// maxConcurrent is the number of traces at a time: reading one takes at most 32 MiB.
	maxConcurrent = 2
	// maxGoroutines and maxBirths, a second, are the most that a traced process may have. A
	// trace lists every goroutine once a second, which takes 40 ms at 50,000, and 5,000
	// births make 1 MiB.
	maxGoroutines = 50_000
	maxBirths     = 5_000
	// maxSubjects is the most groups and entries of a process to trace, the fastest first:
	// each has up to nine series and a histogram.
	maxSubjects = 20
	// maxReported is the most subjects that a process reports, including former candidates.
	maxReported = 2 * maxSubjects
	// maxSubjectsKnown is the most subjects of all services, each about 10 KB, and at most
	// 48 KiB of names. The one that was not requested for longest is evicted.
	maxSubjectsKnown = 2000
)

// Times between traces.
const (
	// maxRest is the longest pause after a failed trace: a target that cannot be traced
	// costs one futile request an hour.
	maxRest = time.Hour
	// maxWait is the longest time between two traces for a group, if the next one has a fair
	// chance to contain a leaked birth. A trace takes six seconds of it, so that others can
	// trace too.
	maxWait = 10 * time.Minute
	// maxSlowWait is the same for a group that grows too slowly for that.
	maxSlowWait = time.Hour
	// fairChance is the least expected number of leaked births in a trace.
	fairChance = 0.05
	// reportFor is how long the origin of a group is reported after it has stopped growing.
	reportFor = time.Hour
)

// lengthFactors are the lengths of the first, the second and each further trace for a group, in
// Rules.Duration.
var lengthFactors = [...]time.Duration{1, 3, maxLengthFactor}

const maxLengthFactor = 5

// Scout coordinates the traces of all processes that are watched together. It is safe for
// concurrent use.
type Scout struct {
	mu       sync.Mutex
	subjects map[subjectKey]*subject
	tracing  int // processes
}

// New returns a Scout without state.
func New() *Scout { return &Scout{subjects: make(map[subjectKey]*subject)} }

// subjectKey identifies a group or an entry over all processes of a service.
type subjectKey struct {
	service string
	group   stack.ID // 0 for an entry
	entry   string   // empty for a group
}

func newSubjectKey(service string, s stack.Signature) subjectKey {
	if s.ID == 0 {
		return subjectKey{service: service, entry: s.Entry}
	}
	return subjectKey{service: service, group: s.ID}
}

// subject is a group or an entry of a service.
type subject struct {
	learned learned
	// tracing is the process being traced for it, and reporter the one that reports it.
	tracing, reporter *Process
	traces            int       // taken for it
	due               time.Time // when the next may be taken
	requestedAt       time.Time // when it was last a candidate
}

// subject returns the subject of a service with a signature, which it adds if it is new.
func (s *Scout) subject(service string, signature stack.Signature, at time.Time) *subject {
	key := newSubjectKey(service, signature)
	found := s.subjects[key]
	if found == nil {
		if len(s.subjects) >= maxSubjectsKnown {
			s.evict()
		}
		found = new(subject)
		s.subjects[key] = found
	}
	found.requestedAt = at
	return found
}

// evict removes the subject that was not requested for longest.
func (s *Scout) evict() {
	var oldestKey subjectKey
	var oldest *subject
	for key, other := range s.subjects {
		if oldest == nil || other.requestedAt.Before(oldest.requestedAt) {
			oldestKey, oldest = key, other
		}
	}
	delete(s.subjects, oldestKey)
}

// isKnown reports whether further traces are unnecessary.
func (s *subject) isKnown() bool { return s.learned.Caught == origin.LeakedBirth }

// length returns the length of the next trace.
func (s *subject) length(r Rules) time.Duration {
	return r.Duration * lengthFactors[min(s.traces, len(lengthFactors)-1)]
}

// traced schedules the next trace after one has ended.
func (s *subject) traced(r Rules, perHour float64, at time.Time) {
	most := maxSlowWait
	if perHour*(maxLengthFactor*r.Duration).Hours() >= fairChance {
		most = maxWait
	}
	s.due = at.Add(backOff(r.Interval, s.traces, most))
	s.traces++
}

// backOff returns the interval, doubled n times, but at most most. It is reduced by half an interval,
// so that it has elapsed at the observation that is due then.
func backOff(interval time.Duration, n int, most time.Duration) time.Duration {
	d := interval
	for range n {
		if d >= most {
			break
		}
		d *= 2
	}
	return max(min(d, most), interval) - interval/2
}

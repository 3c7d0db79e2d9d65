// Package scout decides when a trace is taken to learn where goroutines come from: of which
// process, for how long, and for which of the groups that gather in it. It remembers what was
// learned of each group of a service, so that one of its processes has to be traced, and not
// all. docs/decisions/origins.md argues the rules.
//
// It is pure: reports, results and times in, plans and origins out.
package scout

import (
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Rules are what a user sets.
type Rules struct {
	// Interval is the time from one look at a process to the next.
	Interval time.Duration
	// Duration is that of the first trace for a group. Later ones take up to
	// longest times as long, and none more than half of Interval.
	Duration time.Duration
	// Budget is how much of a core the traces of one process may cost on average.
	Budget float64
}

// What holds where a user sets nothing else.
const (
	// DefaultDuration is long enough for what leaks to start several times, as part of something
	// that goes well the other times. A second more or less would do but for coroutines: their
	// births are known by the second generation of a trace, which begins after a second.
	DefaultDuration = 1200 * time.Millisecond
	// DefaultBudget is under a thousandth of one core: a plain service can be traced for a
	// second every twenty.
	DefaultBudget = 0.0005
	// DefaultMaxSize is the largest trace, in bytes: that of a server of 40,000 births a
	// second. Most services write less than 100 KB.
	DefaultMaxSize = 8 << 20
)

// The shortest and the longest first trace that may be asked for. A shorter one hardly sees a
// birth, and five times as long a one keeps others from tracing for as long.
const (
	MinDuration = 100 * time.Millisecond
	MaxDuration = 10 * time.Second
)

// What holds for every process.
const (
	// atOnce is how many traces are taken at the same time: reading one takes 32 MiB at most.
	atOnce = 2
	// maxGoroutines and maxBirths, a second, are the most that a process may have. A trace lists
	// every goroutine once a second, which takes 40 ms at 50,000, and 5,000 births make 1 MiB.
	maxGoroutines = 50_000
	maxBirths     = 5_000
	// maxSubjects is for how many groups and entries of a process origins are looked for, those
	// that gather fastest: each is up to nine series and a histogram.
	maxSubjects = 20
	// maxTold is how many subjects a process tells, those included that are no candidates any
	// more.
	maxTold = 2 * maxSubjects
	// maxKnown is how many subjects are known in all, each 10 KB or so, and 48 KiB of names at
	// most. Those that nobody has wanted for longest make room.
	maxKnown = 2000
)

// How long is waited.
const (
	// mostRest is how long a process is left in peace after a trace of it failed, at most: a
	// target that cannot give one costs a futile request an hour.
	mostRest = time.Hour
	// mostWait is the time between two traces for a group while the next has a fair chance to
	// catch a birth that leaks. A trace is six seconds of it, so that others can trace too.
	mostWait = 10 * time.Minute
	// mostSlowWait is that for a group that gathers so slowly that it has none.
	mostSlowWait = time.Hour
	// fairChance is how many births that leak are expected in a trace.
	fairChance = 0.05
	// telling is for how long what was learned is told of a group that gathers no more.
	telling = time.Hour
)

// lengths are how long the first, the second and each further trace for a group take, in
// Rules.Duration.
var lengths = [...]time.Duration{1, 3, longest}

const longest = 5

// Scout knows what is looked for in all processes that are watched together. It is safe for
// concurrent use.
type Scout struct {
	mu       sync.Mutex
	subjects map[subjectKey]*subject
	tracing  int // processes
}

// New returns a Scout that knows nothing.
func New() *Scout { return &Scout{subjects: make(map[subjectKey]*subject)} }

// subjectKey is what a group, or an entry, of all processes of a service has in common.
type subjectKey struct {
	service string
	group   stack.ID // 0 of an entry
	entry   string   // empty of a group
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
	// tracing and teller are the processes that are traced for it now, and that tell of it.
	tracing, teller *Process
	traces          int       // that were taken for it
	due             time.Time // when the next may be taken
	wanted          time.Time // when it was last a candidate
}

// subject returns the subject of a service with a signature.
func (s *Scout) subject(service string, signature stack.Signature, at time.Time) *subject {
	key := newSubjectKey(service, signature)
	of := s.subjects[key]
	if of == nil {
		if len(s.subjects) >= maxKnown {
			s.forgetOne()
		}
		of = new(subject)
		s.subjects[key] = of
	}
	of.wanted = at
	return of
}

// forgetOne forgets what nobody has wanted for longest.
func (s *Scout) forgetOne() {
	var oldest subjectKey
	var of *subject
	for key, other := range s.subjects {
		if of == nil || other.wanted.Before(of.wanted) {
			oldest, of = key, other
		}
	}
	delete(s.subjects, oldest)
}

// known tells whether there is nothing more to be learned.
func (s *subject) known() bool { return s.learned.Caught == origin.LeakedBirth }

// length is for how long it is traced next.
func (s *subject) length(r Rules) time.Duration {
	return r.Duration * lengths[min(s.traces, len(lengths)-1)]
}

// traced notes that a trace for it has ended.
func (s *subject) traced(r Rules, perHour float64, at time.Time) {
	most := mostSlowWait
	if perHour*(longest*r.Duration).Hours() >= fairChance {
		most = mostWait
	}
	s.due = at.Add(backOff(r.Interval, s.traces, most))
	s.traces++
}

// backOff returns the interval, doubled n times, but not more than most. It is half an
// interval less, so that the look that is due at that time finds it over.
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

// Package origin determines where the goroutines of a group come from: what starts them, what wakes
// their healthy siblings, how many of them leak, and which kind of mistake that is. Package
// exectrace provides the data.
//
// It is pure and deterministic. If there is too little data, the result is NotCaught rather than a
// guess.
package origin

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Subjects are the groups and entries to determine the origins of. Groups must be the ones that the
// traces were read for, in the same order. Entries are those whose goroutines are in no such group.
type Subjects struct {
	Groups, Entries []Subject
}

// Subject is a group or an entry.
type Subject struct {
	// Signature is the group. For an entry only Signature.Entry is set.
	Signature stack.Signature
	// PerHour is how many of its goroutines become aged in an hour; 0 if unknown. If more
	// goroutines stay than that, most of them are healthy and only live longer than the
	// trace.
	PerHour float64
}

// Caught is what a trace has seen of leaked goroutines.
type Caught string

const (
	// NotCaught means that the origin is unknown: no goroutine of the entry was started
	// during the trace, or only healthy ones by a library with a single caller.
	NotCaught Caught = "not_caught"
	// SiblingsOnly means that Creators are those of goroutines of the same entry that did
	// not leak.
	SiblingsOnly Caught = "siblings_only"
	// LeakedBirth means that Creators are those of leaked goroutines.
	LeakedBirth Caught = "leaked_birth"
)

// Most is the most creators, and the most wakers, of an Origin. Each is a series.
const Most = 3

// Origin is where the goroutines of a subject come from.
type Origin struct {
	// Signature is the group. For an entry only Signature.Entry is set.
	Signature stack.Signature
	// Caught says which goroutines Creators has started.
	Caught   Caught
	Creators []Creator // at most Most, largest share first
	Wakers   []Waker   // at most Most, largest share first
	// Births is how many goroutines of the entry were started during the traces, and Leaked
	// how many of those leak.
	Births, Leaked int
	// Lifetimes is how long goroutines of the entry lived that ended, up to the length of
	// a trace.
	Lifetimes exectrace.Lifetimes
	// Older is how many goroutines of the group existed before the trace, and Served how many of
	// these were woken by others during it, in the trace in which most were. For an entry both are 0.
	Older, Served int
	// Traced is the total time of the traces.
	Traced time.Duration
	Class  mistake.Class
}

// Share returns the share of births that leak, 0 if unknown.
func (o *Origin) Share() float64 {
	if o.Births == 0 {
		return 0
	}
	return float64(o.Leaked) / float64(o.Births)
}

// Creator is a place that starts goroutines.
type Creator struct {
	// Launch is the way in which they are started. Only ByGo has a Stack.
	Launch exectrace.Launch
	// Stack is the complete stack of one of the goroutines that started them, leaf first:
	// the first frame is the go statement.
	Stack []stack.Frame
	// Own is the line of the service's own code that is responsible, on the stack or on
	// that of an ancestor. It has no Function if there is none.
	Own stack.Frame
	// Count is how many goroutines it started, of the kind that Caught says, and Share
	// their share of all.
	Count int
	Share float64
}

// Waker is a place that wakes the goroutines of a group that end. Leaked ones wait for it.
type Waker struct {
	// Stack is the complete stack of one of the waking goroutines, leaf first.
	Stack []stack.Frame
	// Own is the line of the service's own code on the stack, and Call the function that it
	// calls. Call is empty if the line itself wakes them, such as a send.
	Own  stack.Frame
	Call string
	// Count is how many goroutines it woke for the last time before they ended, and Share
	// their share of all that ended after they had waited there.
	Count int
	Share float64
}

// Conclude returns the origin of each subject, groups first, in the order of the request, from traces
// of one process.
func Conclude(of Subjects, traces []*exectrace.Origins) []Origin {
	code := newCode(traces)
	var all []Origin
	for i, g := range of.Groups {
		all = append(all, conclude(subject{g, i}, code, traces))
	}
	for _, e := range of.Entries {
		all = append(all, conclude(subject{e, entryOnly}, code, traces))
	}
	return all
}

// Known reports whether all origins are known, so that the trace can be ended. It returns false if
// there are none.
func Known(origins []Origin) bool {
	return len(origins) > 0 && !slices.ContainsFunc(origins, func(o Origin) bool { return o.Caught != LeakedBirth })
}

// subject is one of the requested subjects.
type subject struct {
	Subject
	// group is its index among the groups of a trace, or entryOnly.
	group int
}

const entryOnly = -1

func conclude(s subject, code *codeOwner, traces []*exectrace.Origins) Origin {
	o := Origin{Signature: s.Signature}
	healthy := newHealthy(traces)
	var leaked, born tally
	for _, t := range traces {
		o.Traced += t.Traced
		for i := range t.Starts {
			start := &t.Starts[i]
			if n := s.leaked(start, healthy.threshold(start)); n > 0 {
				leaked.add(start, code, n)
				o.Leaked += n
			}
			if s.starts(start) {
				o.Births += start.Born
				o.Lifetimes.Merge(&start.Ended)
				born.add(start, code, start.Born)
			}
		}
	}
	if s.tooMany(o.Leaked, o.Traced) {
		born, o.Leaked = leaked, 0 // healthy goroutines that wait where others leak
	}
	switch {
	case o.Leaked > 0:
		o.Caught, o.Creators = LeakedBirth, leaked.creators()
	case born.isConclusive(code):
		o.Caught, o.Creators = SiblingsOnly, born.creators()
	default:
		o.Caught = NotCaught
	}
	if s.group != entryOnly {
		o.Wakers = wakersOf(s.group, code, traces)
		for _, t := range traces {
			if w := &t.Groups[s.group]; w.Served >= o.Served {
				o.Older, o.Served = w.Older, w.Served
			}
		}
	}
	o.Class = classify(s, &o, traces)
	return o
}

// minProbability is the least probability of as many leaked births in the traces, given the growth of
// the subject.
const minProbability = 0.001

// tooMany reports whether n births that stay are more than can be leaked, by minProbability. Then they
// are healthy, such as sessions, and only live longer than the trace.
func (s subject) tooMany(n int, traced time.Duration) bool {
	if s.PerHour <= 0 || n == 0 {
		return false
	}
	expected := s.PerHour * traced.Hours()
	fewer, term := 0.0, math.Exp(-expected) // Poisson
	for i := range n {
		fewer += term
		term *= expected / float64(i+1)
	}
	return 1-fewer < minProbability
}

// starts reports whether goroutines of the subject's entry are started at a place.
func (s subject) starts(start *exectrace.Start) bool {
	if start.Entry != "" && start.Entry == s.Signature.Entry {
		return true
	}
	return s.group != entryOnly && slices.ContainsFunc(start.Alive, func(a exectrace.Alive) bool { return a.Group == s.group })
}

// leaked returns how many of the goroutines started at a place leak: those that wait where the subject
// does and are older than threshold.
func (s subject) leaked(start *exectrace.Start, threshold time.Duration) int {
	if s.group == entryOnly && start.Entry != s.Signature.Entry {
		return 0
	}
	n := 0
	for _, a := range start.Alive {
		if (s.group == entryOnly || a.Group == s.group) && a.Age > threshold {
			n++
		}
	}
	return n
}

// healthyLifetimes is how long goroutines live that end, by where they were started.
type healthyLifetimes struct {
	byLine  map[startLine]*exectrace.Lifetimes
	byEntry map[string]*exectrace.Lifetimes
}

// startLine is a go statement and the entry that it starts.
type startLine struct {
	statement stack.Frame
	entry     string
}

func lineOf(s *exectrace.Start) startLine {
	l := startLine{entry: s.Entry}
	if len(s.Creator) > 0 {
		l.statement = s.Creator[0]
	}
	return l
}

func newHealthy(traces []*exectrace.Origins) healthyLifetimes {
	h := healthyLifetimes{byLine: make(map[startLine]*exectrace.Lifetimes), byEntry: make(map[string]*exectrace.Lifetimes)}
	for _, t := range traces {
		for i := range t.Starts {
			s := &t.Starts[i]
			mergeLifetimes(h.byLine, lineOf(s), &s.Ended)
			mergeLifetimes(h.byEntry, s.Entry, &s.Ended)
		}
	}
	return h
}

func mergeLifetimes[K comparable](into map[K]*exectrace.Lifetimes, key K, lives *exectrace.Lifetimes) {
	if into[key] == nil {
		into[key] = new(exectrace.Lifetimes)
	}
	into[key].Merge(lives)
}

// threshold returns the age above which a goroutine started at a place is not healthy: twice the 99th
// percentile of the lifetimes that ended. (A young healthy goroutine may wait where others leak.)
// If none has ended, lifetimes of the same entry started elsewhere are used.
func (h healthyLifetimes) threshold(start *exectrace.Start) time.Duration {
	lives := h.byLine[lineOf(start)]
	if lives.Count() == 0 {
		lives = h.byEntry[start.Entry]
	}
	return 2 * lives.Quantile(0.99)
}

// largest sorts by count, largest first, and returns at most Most elements.
func largest[T any](all []T, count func(T) int, name func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int {
		return cmp.Or(cmp.Compare(count(b), count(a)), cmp.Compare(name(a), name(b)))
	})
	return all[:min(Most, len(all))]
}

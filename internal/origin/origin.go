// Package origin decides what is known of where the goroutines of a group come from: who
// starts them, what wakes those of their kind that end, how many of them leak, and what kind
// of mistake that is. Package exectrace reads what it decides upon.
//
// It is pure, and deterministic: the same traces give the same answer. Too little to go by
// is an answer of its own (NotCaught); a wrong creator is none.
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

// Subjects are what origins are asked for: groups, which must be those that the traces were
// followed for and in their order, and entries whose goroutines are in no such group.
type Subjects struct {
	Groups, Entries []Subject
}

// Subject is a group, or an entry.
type Subject struct {
	// Signature is the group. Of an entry only its Entry is filled.
	Signature stack.Signature
	// PerHour is how many of its goroutines come to be old in an hour; 0 is unknown. Where
	// more are born that stay, most of those are healthy, and only live longer than a trace.
	PerHour float64
}

// Caught tells what a trace has seen of those that leak.
type Caught string

const (
	// NotCaught means that nothing can be said yet: no goroutine of this entry was started
	// while it was looked, or only by a library, for one caller, and it went well.
	NotCaught Caught = "not_caught"
	// SiblingsOnly means that the creators are those of goroutines of the same entry that
	// did not leak.
	SiblingsOnly Caught = "siblings_only"
	// LeakedBirth means that the start of goroutines was seen which leak.
	LeakedBirth Caught = "leaked_birth"
)

// Most is how many creators and how many wakers are told of a group. Each is a series.
const Most = 3

// Origin is what is known of a subject.
type Origin struct {
	// Signature is the group. Of an entry only its Entry is filled.
	Signature stack.Signature
	// Caught tells whose Creators those are.
	Caught   Caught
	Creators []Creator // at most Most, the one with the largest share first
	Wakers   []Waker   // at most Most, the one with the largest share first
	// Births is how many goroutines of the entry were started while it was looked, and
	// Leaked how many of those leak.
	Births, Leaked int
	// Lifetimes is how long those of the entry lived that ended. Longer ones than the trace
	// took are not among them.
	Lifetimes exectrace.Lifetimes
	// Traced is for how long it was looked.
	Traced time.Duration
	Class  mistake.Class
}

// Share returns the share of the births that leak, 0 if it is unknown.
func (o *Origin) Share() float64 {
	if o.Births == 0 {
		return 0
	}
	return float64(o.Leaked) / float64(o.Births)
}

// Creator is what starts goroutines.
type Creator struct {
	// Launch tells in what way. A timer and C have no stack.
	Launch exectrace.Launch
	// Stack is the whole stack of one that started them, leaf first: the first frame is the
	// go statement.
	Stack []stack.Frame
	// Own is the line of the service's own code that is the reason: on the stack, or on that
	// of a creator of the creator. Without a function there is none.
	Own stack.Frame
	// Count is how many it started of those that Caught tells, and Share which part of them.
	Count int
	Share float64
}

// Waker is what wakes the goroutines of a group that end. Those that leak wait for it.
type Waker struct {
	// Stack is the whole stack of one that woke them, leaf first.
	Stack []stack.Frame
	// Own is the line of the service's own code on it, and Call the function that is called
	// there. Call is empty if the line itself wakes them, as a send does.
	Own  stack.Frame
	Call string
	// Count is how many it woke the last time before they ended, and Share which part of all
	// that ended after they had waited there.
	Count int
	Share float64
}

// Conclude returns what is known of each subject, the groups first and in their order, after
// these traces of one process.
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

// Known tells whether there is nothing more to be learned of these origins, so that a trace
// can be ended. Of none, it is not.
func Known(origins []Origin) bool {
	return len(origins) > 0 && !slices.ContainsFunc(origins, func(o Origin) bool { return o.Caught != LeakedBirth })
}

// subject is one of what was asked for.
type subject struct {
	Subject
	// group is its index among the groups of a trace, or entryOnly.
	group int
}

const entryOnly = -1

func conclude(s subject, code *code, traces []*exectrace.Origins) Origin {
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
			if s.isOf(start) {
				o.Births += start.Born
				o.Lifetimes.Merge(&start.Ended)
				born.add(start, code, start.Born)
			}
		}
	}
	if s.tooMany(o.Leaked, o.Traced) {
		born, o.Leaked = leaked, 0 // these have come to where the others leak
	}
	switch {
	case o.Leaked > 0:
		o.Caught, o.Creators = LeakedBirth, leaked.creators()
	case born.speaks(code):
		o.Caught, o.Creators = SiblingsOnly, born.creators()
	default:
		o.Caught = NotCaught
	}
	if s.group != entryOnly {
		o.Wakers = wakers(s.group, code, traces)
	}
	o.Class = classify(s, &o, traces)
	return o
}

// unlikely is the probability below which it is not believed that so many of those that were
// born in a trace leak, at the pace at which the subject gathers.
const unlikely = 0.001

// tooMany tells whether n births that stay are more than can be of those that leak: as many
// would come in so long a time with a probability below unlikely. They are healthy then, such
// as sessions, and live longer than the trace took.
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
	return 1-fewer < unlikely
}

// isOf tells whether goroutines that were started there are of the subject's entry.
func (s subject) isOf(start *exectrace.Start) bool {
	if start.Entry != "" && start.Entry == s.Signature.Entry {
		return true
	}
	return s.group != entryOnly && slices.ContainsFunc(start.Alive, func(a exectrace.Alive) bool { return a.Group == s.group })
}

// leaked returns how many goroutines that were started there leak: they have come to where
// the subject waits, and are older than those become that end.
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

// healthy is how long goroutines live that end, by where they were started.
type healthy struct {
	byLine  map[line]*exectrace.Lifetimes
	byEntry map[string]*exectrace.Lifetimes
}

// line is a go statement and the entry that it starts.
type line struct {
	statement stack.Frame
	entry     string
}

func lineOf(s *exectrace.Start) line {
	l := line{entry: s.Entry}
	if len(s.Creator) > 0 {
		l.statement = s.Creator[0]
	}
	return l
}

func newHealthy(traces []*exectrace.Origins) healthy {
	h := healthy{byLine: make(map[line]*exectrace.Lifetimes), byEntry: make(map[string]*exectrace.Lifetimes)}
	for _, t := range traces {
		for i := range t.Starts {
			s := &t.Starts[i]
			merge(h.byLine, lineOf(s), &s.Ended)
			merge(h.byEntry, s.Entry, &s.Ended)
		}
	}
	return h
}

func merge[K comparable](into map[K]*exectrace.Lifetimes, key K, lives *exectrace.Lifetimes) {
	if into[key] == nil {
		into[key] = new(exectrace.Lifetimes)
	}
	into[key].Merge(lives)
}

// threshold returns the age above which a goroutine that was started there is none of those
// that end: twice what 99 of 100 of these live. A goroutine that waits where others leak may
// be one of these that is young. Where none has ended, those of the same entry that were
// started elsewhere must do.
func (h healthy) threshold(start *exectrace.Start) time.Duration {
	lives := h.byLine[lineOf(start)]
	if lives.Count() == 0 {
		lives = h.byEntry[start.Entry]
	}
	return 2 * lives.Quantile(0.99)
}

// largest sorts by share, largest first, and returns the Most first.
func largest[T any](all []T, count func(T) int, name func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int {
		return cmp.Or(cmp.Compare(count(b), count(a)), cmp.Compare(name(a), name(b)))
	})
	return all[:min(Most, len(all))]
}

package scout

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// learned is the merged result of several traces for a subject. It keeps more creators and wakers
// than are reported, so that reported counts never decrease.
type learned struct{ origin.Origin }

const (
	// maxKept is the most creators, and the most wakers, that are counted for a subject.
	maxKept = 16
	// maxStackText is the most bytes of names in a stack. Real ones have 3 KiB.
	maxStackText = 8 << 10
)

// add merges the result of another trace, and reports whether the summary has changed otherwise
// than in counts: what starts the goroutines, what wakes them, or the class of the mistake.
func (l *learned) add(o origin.Origin) (isNew bool) {
	before, first := l.summary(), l.Traced == 0
	woken := wakerCounter.total(l.Wakers)
	l.Signature = o.Signature
	switch better := rank(o.Caught) - rank(l.Caught); {
	case first || better > 0:
		l.Caught, l.Creators = o.Caught, creatorCounter.merge(nil, o.Creators)
	case better == 0:
		l.Creators = creatorCounter.merge(l.Creators, o.Creators)
	}
	l.Wakers = wakerCounter.merge(l.Wakers, o.Wakers)
	if first || o.Class != mistake.Unknown && wakerCounter.total(o.Wakers) > woken {
		l.Class = o.Class // more wakers are better evidence
	}
	l.Births += o.Births
	l.Leaked += o.Leaked
	l.Lifetimes.Merge(&o.Lifetimes)
	l.Traced += o.Traced
	after := l.summary()
	return before.Caught != after.Caught || before.Class != after.Class ||
		!creatorCounter.same(before.Creators, after.Creators) || !wakerCounter.same(before.Wakers, after.Wakers)
}

// rank orders values of Caught by significance.
func rank(c origin.Caught) int {
	return slices.Index([]origin.Caught{origin.NotCaught, origin.SiblingsOnly, origin.LeakedBirth}, c)
}

// summary returns the origin to report.
func (l *learned) summary() origin.Origin {
	o := l.Origin
	o.Creators, o.Wakers = creatorCounter.top(o.Creators), wakerCounter.top(o.Wakers)
	return o
}

// counter counts creators or wakers. Its functions access the fields of T.
type counter[T any, K comparable] struct {
	identity func(*T) K
	stack    func(*T) *[]stack.Frame
	count    func(*T) *int
	share    func(*T) *float64
}

type creatorKey struct {
	launch         exectrace.Launch
	statement, own stack.Frame
}

var creatorCounter = counter[origin.Creator, creatorKey]{
	identity: func(c *origin.Creator) creatorKey {
		k := creatorKey{launch: c.Launch, own: c.Own}
		if len(c.Stack) > 0 {
			k.statement = c.Stack[0]
		}
		return k
	},
	stack: func(c *origin.Creator) *[]stack.Frame { return &c.Stack },
	count: func(c *origin.Creator) *int { return &c.Count },
	share: func(c *origin.Creator) *float64 { return &c.Share },
}

type wakerKey struct {
	own  stack.Frame
	call string
}

var wakerCounter = counter[origin.Waker, wakerKey]{
	identity: func(w *origin.Waker) wakerKey { return wakerKey{w.Own, w.Call} },
	stack:    func(w *origin.Waker) *[]stack.Frame { return &w.Stack },
	count:    func(w *origin.Waker) *int { return &w.Count },
	share:    func(w *origin.Waker) *float64 { return &w.Share },
}

// merge adds two lists and returns the maxKept largest elements, largest first.
func (c counter[T, K]) merge(a, b []T) []T {
	all := slices.Clone(a)
	for i := range b {
		if at := c.index(all, &b[i]); at >= 0 {
			*c.count(&all[at]) += *c.count(&b[i])
			continue
		}
		added := b[i]
		*c.stack(&added) = truncate(*c.stack(&added))
		all = append(all, added)
	}
	slices.SortStableFunc(all, func(x, y T) int { return cmp.Compare(*c.count(&y), *c.count(&x)) })
	return all[:min(len(all), maxKept)]
}

// index returns the index of the element with the identity of t, or -1.
func (c counter[T, K]) index(all []T, t *T) int {
	key := c.identity(t)
	return slices.IndexFunc(all, func(u T) bool { return c.identity(&u) == key })
}

// top returns a copy of the origin.Most largest elements, each with its share of all.
func (c counter[T, K]) top(all []T) []T {
	most := slices.Clone(all[:min(len(all), origin.Most)])
	for i := range most {
		*c.share(&most[i]) = float64(*c.count(&most[i])) / float64(c.total(all))
	}
	return most
}

func (c counter[T, K]) total(all []T) int {
	n := 0
	for i := range all {
		n += *c.count(&all[i])
	}
	return n
}

// same reports whether two lists have the same elements, ignoring counts.
func (c counter[T, K]) same(a, b []T) bool {
	for i := range b {
		if c.index(a, &b[i]) < 0 {
			return false
		}
	}
	return len(a) == len(b)
}

// truncate removes the outer frames of a stack that is too long.
func truncate(frames []stack.Frame) []stack.Frame {
	text := 0
	for i, f := range frames {
		if text += len(f.Function) + len(f.File); text > maxStackText {
			return frames[:i:i]
		}
	}
	return frames
}

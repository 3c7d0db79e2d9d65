package scout

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// learned is what several traces say of a subject together. It keeps more creators and wakers
// than are told, so that the counts of those that are told never fall.
type learned struct{ origin.Origin }

const (
	// maxKept is how many creators, and how many wakers, are counted of a subject.
	maxKept = 16
	// maxStackText is how many bytes of names are kept of a stack. True ones have 3 KiB.
	maxStackText = 8 << 10
)

// add takes in what another trace says, and reports whether anything can be told that could
// not before: what starts the goroutines, what wakes them, what kind of mistake it is.
func (l *learned) add(o origin.Origin) (isNew bool) {
	before, first := l.told(), l.Traced == 0
	woken := wakers.total(l.Wakers)
	l.Signature = o.Signature
	switch better := rank(o.Caught) - rank(l.Caught); {
	case first || better > 0:
		l.Caught, l.Creators = o.Caught, creators.merge(nil, o.Creators)
	case better == 0:
		l.Creators = creators.merge(l.Creators, o.Creators)
	}
	l.Wakers = wakers.merge(l.Wakers, o.Wakers)
	if first || o.Class != mistake.Unknown && wakers.total(o.Wakers) > woken {
		l.Class = o.Class // the more wakers were seen, the more it rests on
	}
	l.Births += o.Births
	l.Leaked += o.Leaked
	l.Lifetimes.Merge(&o.Lifetimes)
	l.Traced += o.Traced
	after := l.told()
	return before.Caught != after.Caught || before.Class != after.Class ||
		!creators.same(before.Creators, after.Creators) || !wakers.same(before.Wakers, after.Wakers)
}

// rank orders what was seen of births by what it is worth.
func rank(c origin.Caught) int {
	return slices.Index([]origin.Caught{origin.NotCaught, origin.SiblingsOnly, origin.LeakedBirth}, c)
}

// told returns what is told of it.
func (l *learned) told() origin.Origin {
	o := l.Origin
	o.Creators, o.Wakers = creators.told(o.Creators), wakers.told(o.Wakers)
	return o
}

// list is how creators or wakers are counted.
type list[T any, K comparable] struct {
	identity func(*T) K
	stack    func(*T) *[]stack.Frame
	count    func(*T) *int
	share    func(*T) *float64
}

type creatorKey struct {
	launch         exectrace.Launch
	statement, own stack.Frame
}

var creators = list[origin.Creator, creatorKey]{
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

var wakers = list[origin.Waker, wakerKey]{
	identity: func(w *origin.Waker) wakerKey { return wakerKey{w.Own, w.Call} },
	stack:    func(w *origin.Waker) *[]stack.Frame { return &w.Stack },
	count:    func(w *origin.Waker) *int { return &w.Count },
	share:    func(w *origin.Waker) *float64 { return &w.Share },
}

// merge adds two lists up, and returns the maxKept largest, the largest first.
func (l list[T, K]) merge(a, b []T) []T {
	all := slices.Clone(a)
	for i := range b {
		if at := l.index(all, &b[i]); at >= 0 {
			*l.count(&all[at]) += *l.count(&b[i])
			continue
		}
		added := b[i]
		*l.stack(&added) = cut(*l.stack(&added))
		all = append(all, added)
	}
	slices.SortStableFunc(all, func(x, y T) int { return cmp.Compare(*l.count(&y), *l.count(&x)) })
	return all[:min(len(all), maxKept)]
}

// index returns where one of the same identity is; -1 if there is none.
func (l list[T, K]) index(all []T, t *T) int {
	key := l.identity(t)
	return slices.IndexFunc(all, func(u T) bool { return l.identity(&u) == key })
}

// told returns a copy of the origin.Most largest, each with its share of all.
func (l list[T, K]) told(all []T) []T {
	most := slices.Clone(all[:min(len(all), origin.Most)])
	for i := range most {
		*l.share(&most[i]) = float64(*l.count(&most[i])) / float64(l.total(all))
	}
	return most
}

func (l list[T, K]) total(all []T) int {
	n := 0
	for i := range all {
		n += *l.count(&all[i])
	}
	return n
}

// same tells whether two lists name the same, whatever the counts.
func (l list[T, K]) same(a, b []T) bool {
	for i := range b {
		if l.index(a, &b[i]) < 0 {
			return false
		}
	}
	return len(a) == len(b)
}

// cut leaves away the outer frames of a stack that is too long.
func cut(frames []stack.Frame) []stack.Frame {
	text := 0
	for i, f := range frames {
		if text += len(f.Function) + len(f.File); text > maxStackText {
			return frames[:i:i]
		}
	}
	return frames
}

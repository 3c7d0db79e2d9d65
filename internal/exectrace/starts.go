package exectrace

import "time"

// site is a go statement, reached by one chain of calls.
type site struct {
	// creator is the stack of the goroutine that executed it, a number in symbols; noStack
	// if it was not a goroutine, or fromC.
	creator int32
	// created is the stack of the new goroutine: one function and calls inlined into it.
	created int32
}

// fromC is in place of the creator of a goroutine in which a C thread calls Go.
const fromC = noStack - 1

// startKey is a site, and the sites at which its creator and the creator's creator were
// started; noIndex if that was before the trace.
type startKey struct {
	site
	parent, grandparent int32
}

// start is the goroutines that were started at one place.
type start struct {
	startKey
	// number is the index of the site.
	number int32
	born   int
	// shown is one of the goroutines after it showed its root.
	shown     goroutine
	lifetimes *Lifetimes // nil while none has ended
}

// noteShown sets shown to g if g shows its root.
func (s *start) noteShown(g goroutine) {
	switch g.sight {
	case sightWaiting, sightSyscall, sightPreempted, sightMoved:
		s.shown = g
	}
}

// addEnded counts a goroutine that ended after d.
func (s *start) addEnded(d time.Duration) {
	if s.lifetimes == nil {
		s.lifetimes = new(Lifetimes)
	}
	s.lifetimes.Add(d)
}

// starts holds the places where goroutines were started in a trace.
type starts struct {
	all    []start
	byKey  map[startKey]int32
	sites  []site
	bySite map[site]int32
}

// maxStarts is the most places that are distinguished by ancestors. As many more are
// distinguished by site alone.
const maxStarts = 1 << 12

func newStarts() *starts {
	return &starts{byKey: make(map[startKey]int32), bySite: make(map[site]int32)}
}

// add returns the index of a place, which it adds if it is new. parent is where the creator
// was started; nil if that is not known.
func (s *starts) add(at site, parent *start) (int32, error) {
	key := startKey{site: at, parent: noIndex, grandparent: noIndex}
	if parent != nil && len(s.all) < maxStarts {
		key.parent, key.grandparent = parent.number, parent.parent
	}
	if i, known := s.byKey[key]; known {
		return i, nil
	}
	i := int32(len(s.all))
	if i >= 2*maxStarts {
		return noIndex, tooLarge(2*maxStarts, "places where goroutines are started")
	}
	number, known := s.bySite[at]
	if !known {
		number = int32(len(s.sites))
		s.sites = append(s.sites, at)
		s.bySite[at] = number
	}
	s.all = append(s.all, start{startKey: key, number: number, shown: goroutine{stack: noStack}})
	s.byKey[key] = i
	return i, nil
}

// wakeUps counts the wake-ups of goroutines that waited at the requested points.
type wakeUps struct {
	all   []wakeUp
	byKey map[wakeKey]int32
}

type wakeKey struct {
	// point is the index of a requested group, and waker the stack of the waking goroutine;
	// noStack if it was not a goroutine.
	point, waker int32
}

type wakeUp struct {
	wakeKey
	// count is the number of wake-ups, and last how many of them were the last at this point
	// before the goroutine ended.
	count, last int
}

// maxWakeUps limits the pairs of requested group and waking stack.
const maxWakeUps = 1 << 14

func (w *wakeUps) add(point, waker int32) (int32, error) {
	key := wakeKey{point, waker}
	if i, known := w.byKey[key]; known {
		return i, nil
	}
	i := int32(len(w.all))
	if i >= maxWakeUps {
		return noIndex, tooLarge(maxWakeUps, "stacks that wake goroutines")
	}
	w.all = append(w.all, wakeUp{wakeKey: key})
	w.byKey[key] = i
	return i, nil
}

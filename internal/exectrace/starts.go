package exectrace

import "time"

// site is a go statement as it was reached by one chain of calls.
type site struct {
	// creator is the stack of the goroutine that executed it, a number in symbols; noStack
	// if it was not a goroutine, or fromC.
	creator int32
	// created is the stack of the new goroutine, of one function or of what was inlined
	// into it.
	created int32
}

// fromC is in place of the creator of a goroutine in which a C thread calls Go.
const fromC = noStack - 1

// startKey is a site with the sites at which the creator was started, and the creator of
// that one; none where that was before the trace.
type startKey struct {
	site
	parent, grandparent int32
}

// start is what is known of the goroutines that were started in one place.
type start struct {
	startKey
	// number is that of the site.
	number int32
	born   int
	// shown is how one of its goroutines showed where it began.
	shown     goroutine
	lifetimes *Lifetimes // nil while none has ended
}

// note keeps how a goroutine showed where it began, if it did.
func (s *start) note(g goroutine) {
	switch g.sight {
	case waits, inSyscall, preempted, moved:
		s.shown = g
	}
}

// ended counts a goroutine that has ended, after it lived for d.
func (s *start) ended(d time.Duration) {
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

// maxStarts is the most places that are told apart by the creators of the creator, and as
// many more that are not.
const maxStarts = 1 << 12

func newStarts() *starts {
	return &starts{byKey: make(map[startKey]int32), bySite: make(map[site]int32)}
}

// of returns the index of the place with a site, reached from a goroutine that was itself
// started at parent; nil if that is not known.
func (s *starts) of(at site, parent *start) (int32, error) {
	key := startKey{site: at, parent: none, grandparent: none}
	if parent != nil && len(s.all) < maxStarts {
		key.parent, key.grandparent = parent.number, parent.parent
	}
	if i, known := s.byKey[key]; known {
		return i, nil
	}
	i := int32(len(s.all))
	if i >= 2*maxStarts {
		return none, tooLarge(2*maxStarts, "places where goroutines are started")
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

// wakeUps counts how goroutines were woken that waited at the points that were asked for.
type wakeUps struct {
	all   []wakeUp
	byKey map[wakeKey]int32
}

type wakeKey struct {
	// point is an index in what was asked for, and waker the stack of what woke them; it is
	// noStack if that was no goroutine.
	point, waker int32
}

type wakeUp struct {
	wakeKey
	// count is how often they were woken so, and last how often as the last thing there
	// before they ended.
	count, last int
}

// maxWakeUps bounds the stacks that wake what was asked for.
const maxWakeUps = 1 << 14

func (w *wakeUps) of(point, waker int32) (int32, error) {
	key := wakeKey{point, waker}
	if i, known := w.byKey[key]; known {
		return i, nil
	}
	i := int32(len(w.all))
	if i >= maxWakeUps {
		return none, tooLarge(maxWakeUps, "stacks that wake goroutines")
	}
	w.all = append(w.all, wakeUp{wakeKey: key})
	w.byKey[key] = i
	return i, nil
}

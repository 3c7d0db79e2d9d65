package exectrace

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Origins is what a trace says of where goroutines come from and what wakes them. It draws
// no conclusion.
type Origins struct {
	// Traced is the time from the first event to the last.
	Traced time.Duration
	// StandardLibrary is the folder of the standard library's source, with a slash at its
	// end; empty is unknown, or that the build has no absolute paths.
	StandardLibrary string
	// Starts are the places where goroutines were started during the trace: those of the
	// entries and groups that were asked for, and those that share their go statement. They
	// are in the order of how many were started, the most first.
	Starts []Start
	// Groups are those that were asked for, in that order.
	Groups []Waiting
}

// Launch is in what way a goroutine was started.
type Launch uint8

const (
	// ByGo is a go statement, or what starts a coroutine.
	ByGo Launch = iota
	// ByTimer is a timer of time.AfterFunc that fired: no goroutine started it.
	ByTimer
	// ByC is a C thread that calls Go.
	ByC
)

// Start is a place where goroutines were started: a go statement, and the calls by which
// it was reached.
type Start struct {
	// Entry is the entry of the goroutines, as signatures have it. While none of them has
	// shown its stack, it is the function that was started, which may be a wrapper.
	Entry  string
	Launch Launch
	// Creator is the stack of the goroutine that started them, leaf first: the first frame
	// is the go statement. It is empty unless Launch is ByGo.
	Creator []stack.Frame
	// Ancestors are the stacks of the creator's creator and of the creator of that one, as
	// far as those were started during the trace.
	Ancestors [][]stack.Frame
	// Born is how many were started.
	Born int
	// Ended is how long those lived that have ended.
	Ended Lifetimes
	// Alive are those that have not ended, by ID.
	Alive []Alive
}

// Alive is a goroutine that was started during the trace, and has not ended.
type Alive struct {
	ID uint64
	// Age is how long ago it was started.
	Age time.Duration
	// Group is the index of its group among those that were asked for; -1 if it is in none.
	Group int
}

// Waiting is what was seen of a group that was asked for.
type Waiting struct {
	// Count is how many goroutines it had at the end, and Stack that of one of them.
	Count int
	Stack []stack.Frame
	// Older is how many of them were there before the trace, and Again how often those came
	// back to the group during it, after they had been woken there.
	Older, Again int
	// Wakes are the wake-ups of all that waited there, the most frequent first.
	Wakes []Wake
}

// Wake is what wakes goroutines.
type Wake struct {
	// Waker is the stack of the goroutine that woke them, leaf first. It is empty for
	// timers and the network.
	Waker []stack.Frame
	// Count is how often it woke one there, and Last how often one that never waited there
	// again, and ended.
	Count, Last int
}

// Origins returns what the generations that were read say of the groups that were asked
// for, and of these entries.
func (f *Follower) Origins(entries []string) *Origins {
	o := &Origins{
		Traced:          f.since(f.from, f.to),
		StandardLibrary: f.symbols.root,
		Groups:          make([]Waiting, len(f.groups)),
	}
	alive := make([][]Alive, len(f.starts.all))
	wanted := make([]bool, len(f.starts.all))
	for id, i := range f.lives.index {
		l := f.lives.at(i)
		group := f.asked(l.goroutine)
		if group != none {
			f.addWaiting(&o.Groups[group], l, group)
		}
		if l.start == none {
			continue
		}
		f.starts.all[l.start].note(l.goroutine)
		wanted[l.start] = wanted[l.start] || group != none
		alive[l.start] = append(alive[l.start], Alive{ID: id, Age: f.since(l.born, f.to), Group: int(group)})
	}
	f.addWakes(o)
	entryOf := f.entriesOfStarts()
	for _, i := range f.wanted(wanted, entries, entryOf) {
		slices.SortFunc(alive[i], func(a, b Alive) int { return cmp.Compare(a.ID, b.ID) })
		o.Starts = append(o.Starts, f.startAt(i, entryOf[i], alive[i]))
	}
	slices.SortStableFunc(o.Starts, func(a, b Start) int { return cmp.Compare(b.Born, a.Born) })
	return o
}

// addWaiting adds a goroutine to its group.
func (f *Follower) addWaiting(w *Waiting, l *life, group int32) {
	if w.Count++; w.Count == 1 {
		w.Stack = f.symbols.stackFrames(l.stack)
	}
	if l.start != none {
		return
	}
	w.Older++
	if l.woken != none && f.wakes.all[l.woken].point == group {
		w.Again += int(l.again)
	}
}

func (f *Follower) addWakes(o *Origins) {
	for _, w := range f.wakes.all {
		group := &o.Groups[w.point]
		group.Wakes = append(group.Wakes, Wake{Waker: f.symbols.stackFrames(w.waker), Count: w.count, Last: w.last})
	}
	for _, group := range o.Groups {
		slices.SortStableFunc(group.Wakes, func(a, b Wake) int { return cmp.Compare(b.Count, a.Count) })
	}
}

// wanted returns the indexes of the starts that are to be told: those marked, those of the
// entries, and those that share the go statement with one of these.
func (f *Follower) wanted(marked []bool, entries, entryOf []string) []int {
	asked := make(map[string]bool)
	for _, e := range entries {
		asked[e] = e != ""
	}
	for _, g := range f.groups {
		asked[g.Entry] = g.Entry != ""
	}
	statements := make(map[int32]bool)
	for i := range f.starts.all {
		s := &f.starts.all[i]
		if marked[i] = marked[i] || asked[entryOf[i]]; marked[i] && s.creator >= 0 {
			statements[f.symbols.leaf(s.creator)] = true
		}
	}
	var all []int
	for i := range f.starts.all {
		s := &f.starts.all[i]
		if marked[i] || s.creator >= 0 && statements[f.symbols.leaf(s.creator)] {
			all = append(all, i)
		}
	}
	return all
}

// entriesOfStarts returns the entry of the goroutines of each start.
func (f *Follower) entriesOfStarts() []string {
	entryOf := make([]string, len(f.starts.all))
	// What a go statement with arguments starts is a wrapper, always around the same function:
	// where one goroutine has shown that function, it is known of all.
	wrapped := make(map[int32]string)
	for i := range f.starts.all {
		s := &f.starts.all[i]
		if group := f.grouping.of(s.shown); group >= 0 {
			entryOf[i] = f.grouping.groups[group].Entry
			wrapped[s.created] = entryOf[i]
		}
	}
	for i := range f.starts.all {
		if s := &f.starts.all[i]; entryOf[i] == "" {
			entryOf[i] = f.entryAsCreated(s.created, wrapped)
		}
	}
	return entryOf
}

// entryAsCreated returns the entry of goroutines that have not shown it, as far as it is known
// from their creation.
func (f *Follower) entryAsCreated(created int32, wrapped map[int32]string) string {
	frames := f.symbols.stackFrames(created)
	if len(frames) == 0 {
		return ""
	}
	function := frames[len(frames)-1].Function
	if entry := wrapped[created]; entry != "" && strings.Contains(function, ".gowrap") {
		return entry
	}
	return function
}

func (f *Follower) startAt(i int, entry string, alive []Alive) Start {
	s := &f.starts.all[i]
	start := Start{Entry: entry, Born: s.born, Alive: alive}
	if s.lifetimes != nil {
		start.Ended = *s.lifetimes
	}
	switch s.creator {
	case fromC:
		start.Launch = ByC
		return start
	case noStack:
		start.Launch = ByTimer
		return start
	}
	if start.Creator = f.symbols.stackFrames(s.creator); isTimer(start.Creator) {
		start.Launch, start.Creator = ByTimer, nil
		return start
	}
	for _, number := range [...]int32{s.parent, s.grandparent} {
		if number == none {
			break
		}
		creator := f.starts.sites[number].creator
		if creator < 0 {
			break
		}
		start.Ancestors = append(start.Ancestors, f.symbols.stackFrames(creator))
	}
	return start
}

// isTimer tells the stacks on which time.AfterFunc has a timer start a goroutine: that of
// whatever goroutine ran there when it fired.
func isTimer(creator []stack.Frame) bool {
	return len(creator) == 0 || creator[0].Function == "time.goFunc"
}

package exectrace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxOriginFrames is the most frames in an Origins, each stack counted once: 8 MB. A service has
// some thousands. If there are more, the rarest starts and wake-ups are left out.
const maxOriginFrames = 200_000

// originsBuilder builds an Origins from a Follower.
type originsBuilder struct {
	*Follower
	origins *Origins
	entryOf []string  // of each start
	alive   [][]Alive // of each start
	// waits is for each start whether one of its goroutines is in a requested group.
	waits []bool
	// stackFrames caches the stacks used so far, by number; framesLeft is how many more
	// frames may be added.
	stackFrames map[int32][]stack.Frame
	framesLeft  int
}

// Origins returns the origins of the requested groups and of these entries, from the generations
// read so far.
func (f *Follower) Origins(entries []string) *Origins {
	t := originsBuilder{
		Follower: f,
		origins: &Origins{
			Traced:          f.since(f.from, f.to),
			StandardLibrary: f.symbols.root,
			Groups:          make([]Waiting, len(f.groups)),
		},
		alive:       make([][]Alive, len(f.starts.all)),
		waits:       make([]bool, len(f.starts.all)),
		stackFrames: make(map[int32][]stack.Frame),
		framesLeft:  maxOriginFrames,
	}
	t.addLives()
	t.entryOf = f.entriesOfStarts()
	t.addStarts(t.selectStarts(entries))
	t.addWakes()
	return t.origins
}

// addLives adds the goroutines that are alive, by ID, if they are in a requested group or were
// started during the trace.
func (t *originsBuilder) addLives() {
	type alive struct {
		id           uint64
		index, group int32
	}
	var all []alive
	for id, i := range t.live.index {
		l := t.live.at(i)
		if group := t.requestedGroup(l.goroutine); group != noIndex || l.start != noIndex {
			all = append(all, alive{id, i, group})
		}
	}
	slices.SortFunc(all, func(a, b alive) int { return cmp.Compare(a.id, b.id) })
	for _, a := range all {
		l := t.live.at(a.index)
		if a.group != noIndex {
			t.addWaiting(&t.origins.Groups[a.group], l, a.group)
		}
		if l.start == noIndex {
			continue
		}
		t.starts.all[l.start].noteShown(l.goroutine)
		t.waits[l.start] = t.waits[l.start] || a.group != noIndex
		t.alive[l.start] = append(t.alive[l.start], Alive{ID: a.id, Age: t.since(l.born, t.to), Group: int(a.group)})
	}
}

// addWaiting adds a goroutine to its group.
func (t *originsBuilder) addWaiting(w *Waiting, l *liveGoroutine, group int32) {
	if w.Count++; w.Count == 1 {
		w.Stack, _ = t.stack(l.stack)
	}
	if l.start != noIndex {
		return
	}
	w.Older++
	if l.lastWake != noIndex && t.wakes.all[l.lastWake].point == group {
		w.Again += int(l.returns)
	}
	if l.served {
		w.Served++
	}
}

// stack returns the frames of a stack. It returns false if there would be too many.
func (t *originsBuilder) stack(number int32) ([]stack.Frame, bool) {
	if number == noStack {
		return nil, true
	}
	if frames, told := t.stackFrames[number]; told {
		return frames, true
	}
	if t.framesLeft -= t.symbols.depth(number); t.framesLeft < 0 {
		return nil, false
	}
	frames := t.symbols.stackFrames(number)
	t.stackFrames[number] = frames
	return frames, true
}

// addStarts adds the starts with these indexes. If there are too many, those of requested groups
// take precedence, then the most frequent.
func (t *originsBuilder) addStarts(indexes []int) {
	slices.SortStableFunc(indexes, func(i, j int) int {
		switch {
		case t.waits[i] == t.waits[j]:
			return cmp.Compare(t.starts.all[j].born, t.starts.all[i].born)
		case t.waits[i]:
			return -1
		}
		return 1
	})
	for _, i := range indexes {
		start, ok := t.start(i)
		if !ok {
			break
		}
		t.origins.Starts = append(t.origins.Starts, start)
	}
	slices.SortStableFunc(t.origins.Starts, func(a, b Start) int { return cmp.Compare(b.Born, a.Born) })
}

// start returns a start. It returns false if there would be too many frames.
func (t *originsBuilder) start(i int) (start Start, ok bool) {
	s := &t.starts.all[i]
	start = Start{Entry: t.entryOf[i], Born: s.born, Alive: t.alive[i]}
	if s.lifetimes != nil {
		start.Ended = *s.lifetimes
	}
	switch s.creator {
	case fromC:
		start.Launch = ByC
		return start, true
	case noStack:
		start.Launch = ByTimer
		return start, true
	}
	if start.Creator, ok = t.stack(s.creator); !ok {
		return start, false
	}
	if isTimer(start.Creator) {
		start.Launch, start.Creator = ByTimer, nil
		return start, true
	}
	for _, site := range [...]int32{s.parent, s.grandparent} {
		if site == noIndex || t.starts.sites[site].creator < 0 {
			break
		}
		ancestor, ok := t.stack(t.starts.sites[site].creator)
		if !ok {
			return start, false
		}
		start.Ancestors = append(start.Ancestors, ancestor)
	}
	return start, true
}

// isTimer reports whether creator is the stack of a timer of time.AfterFunc, which fires on
// the stack of whichever goroutine runs.
func isTimer(creator []stack.Frame) bool {
	return len(creator) == 0 || creator[0].Function == "time.goFunc"
}

// addWakes adds the wake-ups. If there are too many, those that were the last of a goroutine take
// precedence.
func (t *originsBuilder) addWakes() {
	wakes := slices.Clone(t.wakes.all)
	slices.SortStableFunc(wakes, func(a, b wakeUp) int {
		return cmp.Or(cmp.Compare(b.last, a.last), cmp.Compare(b.count, a.count))
	})
	for _, w := range wakes {
		waker, ok := t.stack(w.waker)
		if !ok {
			break
		}
		group := &t.origins.Groups[w.point]
		group.Wakes = append(group.Wakes, Wake{Waker: waker, Count: w.count, Last: w.last})
	}
	for _, group := range t.origins.Groups {
		slices.SortStableFunc(group.Wakes, func(a, b Wake) int { return cmp.Compare(b.Count, a.Count) })
	}
}

// selectStarts returns the indexes of the starts to return: those with a goroutine in a requested
// group, those of the requested entries, and those with the same go statement as one of these.
func (t *originsBuilder) selectStarts(entries []string) []int {
	asked := make(map[string]bool)
	for _, e := range entries {
		asked[e] = e != ""
	}
	for _, g := range t.groups {
		asked[g.Entry] = g.Entry != ""
	}
	told := make([]bool, len(t.starts.all))
	statements := make(map[int32]bool)
	for i := range t.starts.all {
		s := &t.starts.all[i]
		if told[i] = t.waits[i] || asked[t.entryOf[i]]; told[i] && s.creator >= 0 {
			statements[t.symbols.leaf(s.creator)] = true
		}
	}
	var all []int
	for i := range t.starts.all {
		s := &t.starts.all[i]
		if told[i] || s.creator >= 0 && statements[t.symbols.leaf(s.creator)] {
			all = append(all, i)
		}
	}
	return all
}

// entriesOfStarts returns the entry of the goroutines of each start.
func (f *Follower) entriesOfStarts() []string {
	entryOf := make([]string, len(f.starts.all))
	// A go statement with arguments starts a wrapper, always of the same function: if one
	// goroutine has shown that function, it is known for all.
	wrapped := make(map[int32]string)
	for i := range f.starts.all {
		s := &f.starts.all[i]
		if group := f.grouping.groupOf(s.shown); group >= 0 {
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

// entryAsCreated returns the entry of goroutines that have not shown their root, from the stack
// that they were created with.
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

package exectrace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxTold is how many frames the stacks may have that are told, each stack counted once: 8 MB.
// A service shows some thousands for what is asked. Where there are more, what was started
// or woke least often is left out.
const maxTold = 200_000

// teller puts together what is told of what was followed.
type teller struct {
	*Follower
	origins *Origins
	entryOf []string  // of each start
	alive   [][]Alive // of each start
	// waits tells for each start whether one of its goroutines is in a group that was asked for.
	waits []bool
	// frames are the stacks that have been told, by number, and left how many more may be.
	frames map[int32][]stack.Frame
	left   int
}

// Origins returns what the generations that were read say of the groups that were asked
// for, and of these entries.
func (f *Follower) Origins(entries []string) *Origins {
	t := teller{
		Follower: f,
		origins: &Origins{
			Traced:          f.since(f.from, f.to),
			StandardLibrary: f.symbols.root,
			Groups:          make([]Waiting, len(f.groups)),
		},
		alive:  make([][]Alive, len(f.starts.all)),
		waits:  make([]bool, len(f.starts.all)),
		frames: make(map[int32][]stack.Frame),
		left:   maxTold,
	}
	t.addLives()
	t.entryOf = f.entriesOfStarts()
	t.addStarts(t.wanted(entries))
	t.addWakes()
	return t.origins
}

// addLives adds the goroutines that are alive, by ID: those of the groups, and those that were
// started during the trace.
func (t *teller) addLives() {
	type alive struct {
		id           uint64
		index, group int32
	}
	var all []alive
	for id, i := range t.lives.index {
		l := t.lives.at(i)
		if group := t.asked(l.goroutine); group != none || l.start != none {
			all = append(all, alive{id, i, group})
		}
	}
	slices.SortFunc(all, func(a, b alive) int { return cmp.Compare(a.id, b.id) })
	for _, a := range all {
		l := t.lives.at(a.index)
		if a.group != none {
			t.addWaiting(&t.origins.Groups[a.group], l, a.group)
		}
		if l.start == none {
			continue
		}
		t.starts.all[l.start].note(l.goroutine)
		t.waits[l.start] = t.waits[l.start] || a.group != none
		t.alive[l.start] = append(t.alive[l.start], Alive{ID: a.id, Age: t.since(l.born, t.to), Group: int(a.group)})
	}
}

// addWaiting adds a goroutine to its group.
func (t *teller) addWaiting(w *Waiting, l *life, group int32) {
	if w.Count++; w.Count == 1 {
		w.Stack, _ = t.stack(l.stack)
	}
	if l.start != none {
		return
	}
	w.Older++
	if l.woken != none && t.wakes.all[l.woken].point == group {
		w.Again += int(l.again)
	}
}

// stack returns the frames of a stack. It returns false if no more may be told.
func (t *teller) stack(number int32) ([]stack.Frame, bool) {
	if number == noStack {
		return nil, true
	}
	if frames, told := t.frames[number]; told {
		return frames, true
	}
	if t.left -= t.symbols.depth(number); t.left < 0 {
		return nil, false
	}
	frames := t.symbols.stackFrames(number)
	t.frames[number] = frames
	return frames, true
}

// addStarts adds the starts with these indexes, the ones in question first.
func (t *teller) addStarts(indexes []int) {
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

// start returns a start. It returns false if no more stacks may be told.
func (t *teller) start(i int) (start Start, ok bool) {
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
		if site == none || t.starts.sites[site].creator < 0 {
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

// isTimer tells the stacks on which time.AfterFunc has a timer start a goroutine: that of
// whatever goroutine ran there when it fired.
func isTimer(creator []stack.Frame) bool {
	return len(creator) == 0 || creator[0].Function == "time.goFunc"
}

// addWakes adds the wake-ups, those that were the last first.
func (t *teller) addWakes() {
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

// wanted returns the indexes of the starts that are to be told: those of which a goroutine
// is in a group, those of the entries, and those that share the go statement with one of
// these.
func (t *teller) wanted(entries []string) []int {
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

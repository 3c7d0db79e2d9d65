package exectrace

import (
	"math"

	"golang.org/x/exp/trace"
)

// A life is what is known of a goroutine that is alive.
type life struct {
	goroutine
	// start is where it was started, an index into starts; none if that was before the
	// trace.
	start int32
	// woken is the last wake-up at a point that was asked for, an index into wakes; none
	// if there was none.
	woken int32
	// again is how often it came back to that point after it had been woken there.
	again uint32
	born  uint64 // in the clock's units
	id    uint64
}

// lives holds what is known of all goroutines that are alive, by ID. Those that have
// ended give their place to others, so that the memory is for as many as there are at a
// time.
type lives struct {
	index map[uint64]int32
	pages []*[livesPerPage]life
	free  []int32
	used  int32
}

const livesPerPage = 1 << 10

func (l *lives) at(i int32) *life { return &l.pages[i/livesPerPage][i%livesPerPage] }

// of returns the index of a goroutine; it is made if it is not known.
func (l *lives) of(id uint64) int32 {
	i, known := l.index[id]
	if known {
		return i
	}
	if last := len(l.free) - 1; last >= 0 {
		i, l.free = l.free[last], l.free[:last]
	} else {
		i = l.used
		if l.used++; i/livesPerPage == int32(len(l.pages)) {
			l.pages = append(l.pages, new([livesPerPage]life))
		}
	}
	*l.at(i) = life{goroutine: goroutine{stack: noStack}, start: none, woken: none, id: id}
	l.index[id] = i
	return i
}

func (l *lives) end(i int32) {
	delete(l.index, l.at(i).id)
	l.free = append(l.free, i)
}

// see takes in the next event of a thread.
func (f *Follower) see(t *threadEvents) error {
	e := &t.next
	if isImpossible(e) {
		return malformed("an impossible goroutine ID")
	}
	if e.use != kept {
		f.highest = max(f.highest, e.arguments[0])
		if len(f.lives.index) >= maxLives {
			return tooLarge(maxLives, "goroutines at a time")
		}
	}
	switch e.typ {
	case evProcsChange:
		f.procs = procs(e.arguments[0])
	case evGoStatus, evGoStatusStack:
		f.seeStatus(t)
	case evGoCreate, evGoCreateBlocked:
		return f.born(t, e.arguments[0], site{creator: f.index.stack(e.arguments[2]), created: f.index.stack(e.arguments[1])})
	case evGoCreateSyscall:
		if err := f.born(t, e.arguments[0], site{creator: fromC, created: noStack}); err != nil {
			return err
		}
		t.current = f.lives.of(e.arguments[0])
	case evGoUnblock:
		return f.wake(f.lives.of(e.arguments[0]), e.arguments[2])
	case evGoStart:
		t.current = f.lives.of(e.arguments[0])
		f.move(t.current, trace.GoRunnable, trace.GoRunning, noStack)
	case evGoSwitch, evGoSwitchDestroy:
		f.switchTo(t)
	default:
		f.seeCurrent(t)
	}
	return nil
}

// seeStatus takes in how a goroutine stood when the generation began, or all through it.
func (f *Follower) seeStatus(t *threadEvents) {
	e := &t.next
	i := f.lives.of(e.arguments[0])
	shown := int32(noStack)
	if e.typ == evGoStatusStack {
		shown = f.index.stack(e.arguments[3])
	}
	switch e.arguments[2] {
	case goRunnable:
		f.move(i, trace.GoUndetermined, trace.GoRunnable, shown)
	case goRunning:
		t.current = i
		f.move(i, trace.GoUndetermined, trace.GoRunning, shown)
	case goSyscall:
		if on := f.merge.byID[e.arguments[1]]; on != nil {
			on.current = i
		}
		f.threads[e.arguments[1]] = e.arguments[0]
		f.move(i, trace.GoUndetermined, trace.GoSyscall, shown)
	case goWaiting:
		f.move(i, trace.GoUndetermined, trace.GoWaiting, shown)
	}
}

// seeCurrent takes in what the goroutine that runs on the thread does.
func (f *Follower) seeCurrent(t *threadEvents) {
	i := t.current
	if i == none {
		return
	}
	e := &t.next
	switch e.typ {
	case evGoBlock:
		f.block(i, f.index.stack(e.arguments[1]))
	case evGoStop:
		f.move(i, trace.GoRunning, trace.GoRunnable, f.index.stack(e.arguments[1]))
	case evGoSyscallBegin:
		f.move(i, trace.GoRunning, trace.GoSyscall, f.index.stack(e.arguments[1]))
		return
	case evGoSyscallEnd:
		f.move(i, trace.GoSyscall, trace.GoRunning, noStack)
		return
	case evGoSyscallEndBlock:
		f.move(i, trace.GoSyscall, trace.GoRunnable, noStack)
	case evGoDestroy, evGoDestroySyscall:
		f.end(i, t.time)
	default:
		return
	}
	t.current = none
}

// switchTo has the goroutine of the thread wait, or end, and another one run in its place.
func (f *Follower) switchTo(t *threadEvents) {
	if i := t.current; i != none {
		if t.next.typ == evGoSwitchDestroy {
			f.end(i, t.time)
		} else {
			f.move(i, trace.GoRunning, trace.GoWaiting, noStack)
		}
	}
	t.current = f.lives.of(t.next.arguments[0])
	f.move(t.current, trace.GoWaiting, trace.GoRunnable, noStack)
	f.move(t.current, trace.GoRunnable, trace.GoRunning, noStack)
}

func (f *Follower) move(i int32, from, to trace.GoState, shown int32) {
	l := f.lives.at(i)
	l.goroutine = l.after(from, to, shown)
}

// born takes in that the goroutine of the thread started another.
func (f *Follower) born(t *threadEvents, id uint64, s site) error {
	start, err := f.starts.of(s, f.startOf(t.current))
	if err != nil {
		return err
	}
	i := f.lives.of(id)
	l := f.lives.at(i)
	f.starts.all[start].born++
	l.start, l.born = start, t.time
	if l.sight == unseen {
		l.goroutine = l.after(trace.GoNotExist, trace.GoRunnable, s.created)
	}
	return nil
}

// startOf returns where a goroutine was started; nil if that is not known.
func (f *Follower) startOf(i int32) *start {
	if i == none || f.lives.at(i).start == none {
		return nil
	}
	return &f.starts.all[f.lives.at(i).start]
}

// block takes in that a goroutine begins to wait.
func (f *Follower) block(i, shown int32) {
	f.move(i, trace.GoRunning, trace.GoWaiting, shown)
	l := f.lives.at(i)
	if l.woken != none && f.point(shown) == f.wakes.all[l.woken].point && l.again < math.MaxUint32 {
		l.again++
	}
}

// wake takes in that a goroutine which waits was woken.
func (f *Follower) wake(i int32, stackID uint64) error {
	l := f.lives.at(i)
	if l.sight == waits {
		if point := f.point(l.stack); point != none {
			woken, err := f.wakes.of(point, f.index.stack(stackID))
			if err != nil {
				return err
			}
			if l.woken != none && f.wakes.all[l.woken].point != point {
				l.again = 0
			}
			l.woken = woken
			f.wakes.all[woken].count++
		}
	}
	f.move(i, trace.GoWaiting, trace.GoRunnable, noStack)
	return nil
}

// end takes in that a goroutine has ended.
func (f *Follower) end(i int32, at uint64) {
	l := f.lives.at(i)
	if l.woken != none {
		f.wakes.all[l.woken].last++
	}
	if s := f.startOf(i); s != nil {
		s.note(l.goroutine)
		s.ended(f.since(l.born, at))
	}
	f.lives.end(i)
}

// point returns which of the groups that were asked for waits at a stack; none if none
// does.
func (f *Follower) point(number int32) int32 {
	if number == noStack {
		return none
	}
	for int(number) >= len(f.points) {
		f.points = append(f.points, unnumbered)
	}
	if f.points[number] == unnumbered {
		f.points[number] = f.asked(goroutine{stack: number, sight: waits})
	}
	return f.points[number]
}

package exectrace

import (
	"math"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// liveGoroutine is the state of a goroutine that is alive.
type liveGoroutine struct {
	goroutine
	// start is where it was started, an index into starts; noIndex if that was before the
	// trace.
	start int32
	// lastWake is the last wake-up at a requested point, an index into wakes, or noIndex.
	lastWake int32
	// returns is how often it came back to that point after it had been woken there.
	returns uint32
	// served is whether something other than a timer has woken it at a requested point: a
	// goroutine or, in I/O, the network.
	served bool
	born   uint64 // in the clock's units
	id     uint64
}

// liveSet holds the goroutines that are alive, by ID. It reuses the entries of those that have
// ended, so that memory depends on how many are alive at a time.
type liveSet struct {
	index map[uint64]int32
	pages []*[livesPerPage]liveGoroutine
	free  []int32
	used  int32
}

const livesPerPage = 1 << 10

func (l *liveSet) at(i int32) *liveGoroutine { return &l.pages[i/livesPerPage][i%livesPerPage] }

// add returns the index of a goroutine, which it adds if it is new.
func (l *liveSet) add(id uint64) int32 {
	i, known := l.index[id]
	if known {
		return i
	}
	if last := len(l.free) - 1; last >= 0 {
		i, l.free = l.free[last], l.free[:last]
	} else {
		i = l.used
		if l.used++; i/livesPerPage == int32(len(l.pages)) {
			l.pages = append(l.pages, new([livesPerPage]liveGoroutine))
		}
	}
	*l.at(i) = liveGoroutine{goroutine: goroutine{stack: noStack}, start: noIndex, lastWake: noIndex, id: id}
	l.index[id] = i
	return i
}

func (l *liveSet) end(i int32) {
	delete(l.index, l.at(i).id)
	l.free = append(l.free, i)
}

// handle processes the next event of a thread.
func (f *Follower) handle(t *threadEvents) error {
	e := &t.next
	if isImpossible(e) {
		return malformed("impossible goroutine ID")
	}
	if e.use != useProc {
		f.highest = max(f.highest, e.arguments[0])
		if len(f.live.index) >= maxLives {
			return tooLarge(maxLives, "goroutines alive at a time")
		}
	}
	switch e.typ {
	case evProcsChange:
		f.procs = validProcs(e.arguments[0])
	case evGoStatus, evGoStatusStack:
		f.handleStatus(t)
	case evGoCreate, evGoCreateBlocked:
		return f.handleCreate(t, e.arguments[0], site{creator: f.index.stack(e.arguments[2]), created: f.index.stack(e.arguments[1])})
	case evGoCreateSyscall:
		if err := f.handleCreate(t, e.arguments[0], site{creator: fromC, created: noStack}); err != nil {
			return err
		}
		t.current = f.live.add(e.arguments[0])
	case evGoUnblock:
		return f.handleUnblock(f.live.add(e.arguments[0]), e.arguments[2])
	case evGoStart:
		t.current = f.live.add(e.arguments[0])
		f.transition(t.current, trace.GoRunnable, trace.GoRunning, noStack)
	case evGoSwitch, evGoSwitchDestroy:
		f.handleSwitch(t)
	default:
		f.handleRunning(t)
	}
	return nil
}

// handleStatus processes the state of a goroutine at the start of the generation, or all
// through it.
func (f *Follower) handleStatus(t *threadEvents) {
	e := &t.next
	i := f.live.add(e.arguments[0])
	shown := int32(noStack)
	if e.typ == evGoStatusStack {
		shown = f.index.stack(e.arguments[3])
	}
	switch e.arguments[2] {
	case goRunnable:
		f.transition(i, trace.GoUndetermined, trace.GoRunnable, shown)
	case goRunning:
		t.current = i
		f.transition(i, trace.GoUndetermined, trace.GoRunning, shown)
	case goSyscall:
		if on := f.merge.byID[e.arguments[1]]; on != nil {
			on.current = i
		}
		f.threads[e.arguments[1]] = e.arguments[0]
		f.transition(i, trace.GoUndetermined, trace.GoSyscall, shown)
	case goWaiting:
		f.transition(i, trace.GoUndetermined, trace.GoWaiting, shown)
	}
}

// handleRunning processes an event of the goroutine that runs on the thread.
func (f *Follower) handleRunning(t *threadEvents) {
	i := t.current
	if i == noIndex {
		return
	}
	e := &t.next
	switch e.typ {
	case evGoBlock:
		f.handleBlock(i, f.index.stack(e.arguments[1]))
	case evGoStop:
		f.transition(i, trace.GoRunning, trace.GoRunnable, f.index.stack(e.arguments[1]))
	case evGoSyscallBegin:
		f.transition(i, trace.GoRunning, trace.GoSyscall, f.index.stack(e.arguments[1]))
		return
	case evGoSyscallEnd:
		f.transition(i, trace.GoSyscall, trace.GoRunning, noStack)
		return
	case evGoSyscallEndBlock:
		f.transition(i, trace.GoSyscall, trace.GoRunnable, noStack)
	case evGoDestroy, evGoDestroySyscall:
		f.handleEnd(i, t.time)
	default:
		return
	}
	t.current = noIndex
}

// handleSwitch processes a coroutine switch: the goroutine of the thread waits or ends, and
// another one runs.
func (f *Follower) handleSwitch(t *threadEvents) {
	if i := t.current; i != noIndex {
		if t.next.typ == evGoSwitchDestroy {
			f.handleEnd(i, t.time)
		} else {
			f.transition(i, trace.GoRunning, trace.GoWaiting, noStack)
		}
	}
	t.current = f.live.add(t.next.arguments[0])
	f.transition(t.current, trace.GoWaiting, trace.GoRunnable, noStack)
	f.transition(t.current, trace.GoRunnable, trace.GoRunning, noStack)
}

func (f *Follower) transition(i int32, from, to trace.GoState, shown int32) {
	l := f.live.at(i)
	l.goroutine = l.after(from, to, shown)
}

// handleCreate processes that the goroutine of the thread started another.
func (f *Follower) handleCreate(t *threadEvents, id uint64, s site) error {
	start, err := f.starts.add(s, f.startOf(t.current))
	if err != nil {
		return err
	}
	i := f.live.add(id)
	l := f.live.at(i)
	f.starts.all[start].born++
	l.start, l.born = start, t.time
	if l.sight == sightNone {
		l.goroutine = l.after(trace.GoNotExist, trace.GoRunnable, s.created)
	}
	return nil
}

// startOf returns where a goroutine was started, or nil if that is not known.
func (f *Follower) startOf(i int32) *start {
	if i == noIndex || f.live.at(i).start == noIndex {
		return nil
	}
	return &f.starts.all[f.live.at(i).start]
}

// handleBlock processes that a goroutine begins to wait.
func (f *Follower) handleBlock(i, shown int32) {
	f.transition(i, trace.GoRunning, trace.GoWaiting, shown)
	l := f.live.at(i)
	if l.lastWake != noIndex && f.pointOf(shown) == f.wakes.all[l.lastWake].point && l.returns < math.MaxUint32 {
		l.returns++
	}
}

// handleUnblock processes that a waiting goroutine was woken.
func (f *Follower) handleUnblock(i int32, stackID uint64) error {
	l := f.live.at(i)
	if l.sight == sightWaiting {
		if point := f.pointOf(l.stack); point != noIndex {
			woken, err := f.wakes.add(point, f.index.stack(stackID))
			if err != nil {
				return err
			}
			if l.lastWake != noIndex && f.wakes.all[l.lastWake].point != point {
				l.returns = 0
			}
			l.lastWake = woken
			l.served = l.served || f.wakes.all[woken].waker != noStack || f.groups[point].State == stack.StateIOWait
			f.wakes.all[woken].count++
		}
	}
	f.transition(i, trace.GoWaiting, trace.GoRunnable, noStack)
	return nil
}

// handleEnd processes that a goroutine ended.
func (f *Follower) handleEnd(i int32, at uint64) {
	l := f.live.at(i)
	if l.lastWake != noIndex {
		f.wakes.all[l.lastWake].last++
	}
	if s := f.startOf(i); s != nil {
		s.noteShown(l.goroutine)
		s.addEnded(f.since(l.born, at))
	}
	f.live.end(i)
}

// pointOf returns the index of the requested group that waits at a stack, or noIndex.
func (f *Follower) pointOf(number int32) int32 {
	if number == noStack {
		return noIndex
	}
	for int(number) >= len(f.points) {
		f.points = append(f.points, unnumbered)
	}
	if f.points[number] == unnumbered {
		f.points[number] = f.requestedGroup(goroutine{stack: number, sight: sightWaiting})
	}
	return f.points[number]
}

package exectrace

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"golang.org/x/exp/trace"
)

// sight is the circumstance in which a goroutine last showed a stack, and whether the stack
// is still current.
type sight uint8

const (
	// sightNone: the goroutine has shown no stack.
	sightNone sight = iota
	// sightCreated: the stack is the function that the goroutine was created with. It may
	// be a wrapper, which later stacks do not show, so it is not always the entry.
	sightCreated
	// sightWaiting, sightSyscall: the stack with which it began to wait or entered the
	// system call. It is current until the goroutine runs: a profile shows the same stack
	// while the goroutine is merely ready.
	sightWaiting
	sightSyscall
	// sightPreempted: the stack with which it gave up the processor.
	sightPreempted
	// sightReady: the goroutine was ready all through the trace. It may have waited, been
	// preempted, or be new; the stack tells which, as in a profile.
	sightReady
	// sightMoved: the goroutine has run since. Only the root of the stack is current.
	sightMoved
	// sightLost: the goroutine has run since and stopped without a stack, as in iter.Pull.
	sightLost
)

// goroutine is the state of a goroutine during the replay.
type goroutine struct {
	// stack is its last stack, an index into stacks.seen, or noStack.
	stack int32
	sight sight
}

// after returns g after a transition. stack is noStack if the event has none.
func (g goroutine) after(from, to trace.GoState, stack int32) goroutine {
	switch {
	case from == trace.GoNotExist:
		return goroutine{stack, sightCreated}.orUnseen()
	case to == trace.GoRunning:
		return g.running(from, stack)
	case to == trace.GoRunnable && (from == trace.GoWaiting || from == trace.GoSyscall):
		return g
	case stack != noStack:
		return goroutine{stack, sightAfter(from, to)}
	case from == trace.GoUndetermined || g.sight == sightCreated:
		return g
	}
	g.sight = sightLost
	return g.orUnseen()
}

// running returns g after a transition to running.
func (g goroutine) running(from trace.GoState, stack int32) goroutine {
	switch {
	case stack != noStack:
		return goroutine{stack, sightPreempted}
	case from == trace.GoUndetermined, g.sight == sightCreated:
		return g
	}
	g.sight = sightMoved
	return g.orUnseen()
}

// orUnseen returns g, with sightNone if it has no stack.
func (g goroutine) orUnseen() goroutine {
	if g.stack == noStack {
		g.sight = sightNone
	}
	return g
}

// sightAfter returns the sight of a goroutine that showed a stack in a transition.
func sightAfter(from, to trace.GoState) sight {
	switch {
	case to == trace.GoWaiting:
		return sightWaiting
	case to == trace.GoSyscall:
		return sightSyscall
	case from == trace.GoUndetermined:
		return sightReady
	}
	return sightPreempted
}

// outcome is the state of all goroutines at the end of a trace.
type outcome struct {
	goroutines map[trace.GoID]goroutine
	stacks     stacks
	procs      int
}

// noStack is in place of the index of a stack if there is none.
const noStack = -1

// stacks numbers the stacks that goroutines showed.
type stacks struct {
	seen   []trace.Stack
	number map[trace.Stack]int32
}

func (s *stacks) index(stack trace.Stack) int32 {
	if stack == trace.NoStack {
		return noStack
	}
	i, known := s.number[stack]
	if !known {
		i = int32(len(s.seen))
		s.number[stack] = i
		s.seen = append(s.seen, stack)
	}
	return i
}

// frames returns the frames of the stack with a number, leaf first.
func (s *stacks) frames(number int32) iter.Seq[trace.StackFrame] { return s.seen[number].Frames() }

// replay returns the state of all goroutines at the end of a trace.
func replay(data []byte) (*outcome, error) {
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, readerError(err)
	}
	o := &outcome{
		goroutines: make(map[trace.GoID]goroutine),
		stacks:     stacks{number: make(map[trace.Stack]int32)},
	}
	for {
		ev, err := r.ReadEvent()
		switch {
		case errors.Is(err, io.EOF):
			return o, nil
		case err != nil:
			return nil, readerError(err)
		}
		o.handle(&ev)
	}
}

func (o *outcome) handle(ev *trace.Event) {
	switch ev.Kind() {
	case trace.EventStateTransition:
		if t := ev.StateTransition(); t.Resource.Kind == trace.ResourceGoroutine {
			o.transition(&t)
		}
	case trace.EventMetric:
		if m := ev.Metric(); m.Name == "/sched/gomaxprocs:threads" {
			o.procs = validProcs(m.Value.Uint64())
		}
	}
}

// maxProcs is more than any GOMAXPROCS. The highest limit in any runtime was 1,024
// (_MaxGomaxprocs).
const maxProcs = 1 << 16

// validProcs returns n, or 0 (unknown) if n cannot be a GOMAXPROCS.
func validProcs(n uint64) int {
	if n > maxProcs {
		return 0
	}
	return int(n)
}

func (o *outcome) transition(t *trace.StateTransition) {
	id := t.Resource.Goroutine()
	from, to := t.Goroutine()
	if to == trace.GoNotExist {
		delete(o.goroutines, id)
		return
	}
	g, known := o.goroutines[id]
	if !known {
		g.stack = noStack
	}
	if next := g.after(from, to, o.stacks.index(t.Stack)); next != g || !known {
		o.goroutines[id] = next
	}
}

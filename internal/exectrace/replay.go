package exectrace

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"golang.org/x/exp/trace"
)

// sight is in what way a goroutine last showed a stack, and whether that is still
// where it stands.
type sight uint8

const (
	// unseen goroutines have shown no stack.
	unseen sight = iota
	// created goroutines have shown the function that they were created with.
	// It may be a wrapper, which no later stack shows, and so is not always
	// their entry.
	created
	// waits, inSyscall: the stack with which they did what they still do. It
	// remains so until the goroutine runs: one that is merely ready still
	// stands there, and a profile shows it there.
	waits
	inSyscall
	// preempted goroutines showed a stack as they gave up the processor.
	preempted
	// ready goroutines were so all through the trace: they may have waited,
	// or have been preempted, or be new. Their stacks tell which, as those
	// in a profile do.
	ready
	// moved goroutines have run since: of the stack, its root is still true.
	moved
	// lost goroutines have moved and then stopped without a stack, as those
	// of an iter.Pull do.
	lost
)

// goroutine is what is known of a goroutine as the replay goes on.
type goroutine struct {
	// stack is the last stack that it showed, an index into stacks.seen.
	stack int32
	sight sight
}

// after returns what is known of g after a transition with the given stack; it
// is noStack if there was none.
func (g goroutine) after(from, to trace.GoState, stack int32) goroutine {
	switch {
	case from == trace.GoNotExist:
		return goroutine{stack, created}.orUnseen()
	case to == trace.GoRunning:
		return g.running(from, stack)
	case to == trace.GoRunnable && (from == trace.GoWaiting || from == trace.GoSyscall):
		return g
	case stack != noStack:
		return goroutine{stack, shown(from, to)}
	case from == trace.GoUndetermined || g.sight == created:
		return g
	}
	g.sight = lost
	return g.orUnseen()
}

// running returns what is known of g once it runs.
func (g goroutine) running(from trace.GoState, stack int32) goroutine {
	switch {
	case stack != noStack:
		return goroutine{stack, preempted}
	case from == trace.GoUndetermined, g.sight == created:
		return g
	}
	g.sight = moved
	return g.orUnseen()
}

// orUnseen returns g, unless it has no stack.
func (g goroutine) orUnseen() goroutine {
	if g.stack == noStack {
		g.sight = unseen
	}
	return g
}

// shown is the sight of a goroutine that has just shown a stack.
func shown(from, to trace.GoState) sight {
	switch {
	case to == trace.GoWaiting:
		return waits
	case to == trace.GoSyscall:
		return inSyscall
	case from == trace.GoUndetermined:
		return ready
	}
	return preempted
}

// outcome is how the goroutines stood at the end of a trace.
type outcome struct {
	goroutines map[trace.GoID]goroutine
	stacks     stacks
	procs      int
}

// noStack is the index of no stack.
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

// replay follows the goroutines through a trace.
func replay(data []byte) (*outcome, error) {
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, refused(err)
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
			return nil, refused(err)
		}
		o.take(&ev)
	}
}

func (o *outcome) take(ev *trace.Event) {
	switch ev.Kind() {
	case trace.EventStateTransition:
		if t := ev.StateTransition(); t.Resource.Kind == trace.ResourceGoroutine {
			o.move(&t)
		}
	case trace.EventMetric:
		if m := ev.Metric(); m.Name == "/sched/gomaxprocs:threads" {
			o.procs = procs(m.Value.Uint64())
		}
	}
}

// maxProcs is the most processors that the runtime has ever allowed (_MaxGomaxprocs
// was 1,024); a process with more than 65,536 is none.
const maxProcs = 1 << 16

// procs returns n if it can be a GOMAXPROCS, else 0 for unknown.
func procs(n uint64) int {
	if n > maxProcs {
		return 0
	}
	return int(n)
}

func (o *outcome) move(t *trace.StateTransition) {
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

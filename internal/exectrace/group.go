package exectrace

import (
	"iter"
	"slices"
	"strings"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// leftOut is in place of a group for the goroutines that no snapshot holds.
const leftOut = stack.NoGroup - 1

// grouping turns what is known of goroutines into groups.
type grouping struct {
	// stacks returns the frames of a stack, leaf first.
	stacks func(number int32) iter.Seq[trace.StackFrame]
	// version is that of the trace: the stacks of some are not to be trusted
	// in all they say.
	version version
	groups  []stack.Group
	// byID is the index in groups of each signature.
	byID map[stack.ID]int32
	// known remembers the group of what was asked before.
	known map[goroutine]int32
	// frames is the memory in which stacks are taken apart.
	frames []stack.Frame
}

func newGrouping(stacks func(number int32) iter.Seq[trace.StackFrame], v version) *grouping {
	return &grouping{
		stacks:  stacks,
		version: v,
		byID:    make(map[stack.ID]int32),
		known:   make(map[goroutine]int32),
	}
}

// of returns the index of a goroutine's group, or NoGroup, or leftOut.
func (g *grouping) of(of goroutine) int32 {
	if of.sight == unseen {
		return stack.NoGroup
	}
	group, known := g.known[of]
	if !known {
		group = g.decide(of)
		g.known[of] = group
	}
	return group
}

func (g *grouping) decide(of goroutine) int32 {
	frames := g.framesOf(of.stack)
	if len(frames) == 0 && of.sight == waits && g.hasFrame(of.stack) {
		// It has not begun, and may not: a goroutine that may is ready.
		frames = append(frames, stack.Frame{Function: stack.Unstarted})
	}
	if len(frames) == 0 || !of.showsRoot(frames, g.version) {
		return stack.NoGroup
	}
	signature, ok := stack.Read(frames, stack.Unknown)
	if !ok || isTraceReader(frames[len(frames)-1].Function) {
		return leftOut
	}
	if signature, ok = of.read(frames, signature); !ok {
		return stack.NoGroup
	}
	return g.group(&signature)
}

// hasFrame tells whether a stack has a frame, if only one without a name.
func (g *grouping) hasFrame(number int32) bool {
	for range g.stacks(number) {
		return true
	}
	return false
}

// showsRoot tells whether the last of the frames is the root. That with which a
// goroutine was created is not shown, but good to tell the runtime's own.
func (g goroutine) showsRoot(frames []stack.Frame, v version) bool {
	switch g.sight {
	case created, inSyscall:
		return true
	case waits:
		// One that was interrupted for the garbage collector waits too.
		return len(trimInterrupt(frames)) == len(frames)
	}
	return rootIsSure(frames, v)
}

// read returns the signature of a goroutine that showed these frames. It is the
// given one if all that is known is in the frames.
func (g goroutine) read(frames []stack.Frame, asProfile stack.Signature) (stack.Signature, bool) {
	switch g.sight {
	case waits:
		return stack.Read(frames, stack.Waiting)
	case inSyscall:
		return stack.Read(frames, stack.InSyscall)
	case preempted:
		return stack.Read(frames, stack.Executing)
	case moved:
		return readMoved(frames)
	case ready:
		return asProfile, true
	}
	return stack.Signature{}, false
}

// readMoved reads the signature of a goroutine that runs, and once stood at
// frames. It is still below their root, unless they were cut there.
func readMoved(frames []stack.Frame) (stack.Signature, bool) {
	if len(frames) >= stack.MaxDepth {
		return stack.Signature{}, false
	}
	// The frames in which it waited would say that it still does.
	above := slices.IndexFunc(frames, func(f stack.Frame) bool { return !strings.HasPrefix(f.Function, "runtime.") })
	return stack.Read(frames[max(above, 0):], stack.Executing)
}

// isTraceReader tells whether a goroutine with this entry exists only because a
// trace is being taken: the one that runtime/trace starts to write it out. Those
// that serve the trace are there for a reason of the process's own.
func isTraceReader(entry string) bool {
	switch entry {
	case "runtime/trace.Start.func1", "runtime/trace.(*traceMultiplexer).startLocked.func1":
		return true
	}
	return false
}

// group returns the index of the group with this signature, a new one if there
// was none.
func (g *grouping) group(s *stack.Signature) int32 {
	if i, known := g.byID[s.ID]; known {
		return i
	}
	i := int32(len(g.groups))
	g.byID[s.ID] = i
	group := stack.Group{Signature: *s}
	// The names are parts of the trace's tables, which need not outlive it.
	group.Blamed.Function = strings.Clone(s.Blamed.Function)
	group.Blamed.File = strings.Clone(s.Blamed.File)
	group.Entry = strings.Clone(s.Entry)
	group.EntryFile = strings.Clone(s.EntryFile)
	g.groups = append(g.groups, group)
	return i
}

// wholeStack is the most frames of a stack that was surely not cut. The runtime
// collects stack.MaxDepth entries at most (traceStackSize), of which the first is
// no frame. It then takes the last for runtime.goexit, and in the main goroutine
// the last but one for runtime.main, and drops them without a look.
const wholeStack = stack.MaxDepth - 4

// framesOf takes a stack apart, leaf first. The frames are good until the next
// call. One that may have been cut has at least stack.MaxDepth of them, which is
// how stack.Read knows.
func (g *grouping) framesOf(number int32) []stack.Frame {
	g.frames = g.frames[:0]
	for f := range g.stacks(number) {
		if f.Func == "" {
			// What the runtime could not name, or all there is of a
			// goroutine that has not begun.
			continue
		}
		g.frames = append(g.frames, stack.Frame{
			Function: stack.Clean(f.Func),
			File:     stack.Clean(f.File),
			Line:     line(f.Line),
		})
	}
	if n := len(g.frames); n > wholeStack {
		root := g.frames[n-1]
		for len(g.frames) < stack.MaxDepth {
			g.frames = append(g.frames, root)
		}
	}
	return g.frames
}

// maxLine is more than any file has; what is above is unknown.
const maxLine = 1 << 31

func line(n uint64) int {
	if n >= maxLine {
		return 0
	}
	return int(n)
}

package exectrace

import (
	"iter"
	"slices"
	"strings"
	"unique"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// leftOut stands for a group for the goroutines that are not in snapshots.
const leftOut = stack.NoGroup - 1

// grouping assigns goroutines to groups.
type grouping struct {
	// stacks returns the frames of a stack, leaf first.
	stacks func(number int32) iter.Seq[trace.StackFrame]
	// version is the trace format, which decides whether some roots can be trusted.
	version version
	groups  []stack.Group
	// byID is the index in groups of each signature.
	byID map[stack.ID]int32
	// memo caches groupOf.
	memo map[goroutine]int32
	// frames is the buffer of framesOf.
	frames []stack.Frame
}

func newGrouping(stacks func(number int32) iter.Seq[trace.StackFrame], v version) *grouping {
	return &grouping{
		stacks:  stacks,
		version: v,
		byID:    make(map[stack.ID]int32),
		memo:    make(map[goroutine]int32),
	}
}

// groupOf returns the index of a goroutine's group, or NoGroup, or leftOut.
func (g *grouping) groupOf(of goroutine) int32 {
	if of.sight == sightNone {
		return stack.NoGroup
	}
	group, known := g.memo[of]
	if !known {
		group = g.decide(of)
		g.memo[of] = group
	}
	return group
}

func (g *grouping) decide(of goroutine) int32 {
	frames := g.framesOf(of.stack)
	if len(frames) == 0 && of.sight == sightWaiting && g.hasFrame(of.stack) {
		// A coroutine that has not started. A new goroutine would be ready, not waiting.
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
	return g.add(&signature)
}

// hasFrame reports whether a stack has any frame, even one without a name.
func (g *grouping) hasFrame(number int32) bool {
	for range g.stacks(number) {
		return true
	}
	return false
}

// showsRoot reports whether the last of the frames is the root. The function that a
// goroutine was created with counts as one: it serves to recognize the runtime's own
// goroutines.
func (g goroutine) showsRoot(frames []stack.Frame, v version) bool {
	switch g.sight {
	case sightCreated, sightSyscall:
		return true
	case sightWaiting:
		// A goroutine that was interrupted for garbage collection waits too.
		return len(trimInterrupt(frames)) == len(frames)
	}
	return isRootReliable(frames, v)
}

// read returns the signature of a goroutine with these frames. asProfile is the signature
// by the frames alone.
func (g goroutine) read(frames []stack.Frame, asProfile stack.Signature) (stack.Signature, bool) {
	switch g.sight {
	case sightWaiting:
		return stack.Read(frames, stack.Waiting)
	case sightSyscall:
		return stack.Read(frames, stack.InSyscall)
	case sightPreempted:
		return stack.Read(frames, stack.Executing)
	case sightMoved:
		return readMoved(frames)
	case sightReady:
		return asProfile, true
	}
	return stack.Signature{}, false
}

// readMoved returns the signature of a goroutine that has run since it showed frames. The
// root is still the same, unless the stack was truncated there.
func readMoved(frames []stack.Frame) (stack.Signature, bool) {
	if len(frames) >= stack.MaxDepth {
		return stack.Signature{}, false
	}
	// With the frames in which it waited, the state would be that of a waiting goroutine.
	above := slices.IndexFunc(frames, func(f stack.Frame) bool { return !strings.HasPrefix(f.Function, "runtime.") })
	return stack.Read(frames[max(above, 0):], stack.Executing)
}

// isTraceReader reports whether entry is the goroutine that runtime/trace starts to write
// the trace. The handler that serves the trace is one of the process's own.
func isTraceReader(entry string) bool {
	switch entry {
	case "runtime/trace.Start.func1", "runtime/trace.(*traceMultiplexer).startLocked.func1":
		return true
	}
	return false
}

// add returns the index of the group with this signature, which it adds if it is new.
func (g *grouping) add(s *stack.Signature) int32 {
	if i, known := g.byID[s.ID]; known {
		return i
	}
	i := int32(len(g.groups))
	g.byID[s.ID] = i
	// The names are substrings of the trace's tables, which need not stay in memory. The instances
	// of a service share them.
	g.groups = append(g.groups, stack.Group{Signature: unique.Make(*s).Value()})
	return i
}

// wholeStack is the most frames of a stack that was certainly not truncated. The runtime
// collects at most stack.MaxDepth entries (traceStackSize), the first of which is not a
// frame. It then drops the last one as runtime.goexit, and in the main goroutine the one
// before as runtime.main, whatever they are.
const wholeStack = stack.MaxDepth - 4

// framesOf returns the frames of a stack, leaf first. They are valid until the next call. A
// stack that may have been truncated is padded to stack.MaxDepth frames, by which stack.Read
// recognizes it.
func (g *grouping) framesOf(number int32) []stack.Frame {
	g.frames = g.frames[:0]
	for f := range g.stacks(number) {
		if f.Func == "" {
			// A function unknown to the runtime, or the only frame of a goroutine that
			// has not started.
			continue
		}
		g.frames = append(g.frames, stack.Frame{
			Function: stack.Clean(f.Func),
			File:     stack.Clean(f.File),
			Line:     lineNumber(f.Line),
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

// maxLine is more lines than any file has. Higher numbers are treated as unknown.
const maxLine = 1 << 31

func lineNumber(n uint64) int {
	if n >= maxLine {
		return 0
	}
	return int(n)
}

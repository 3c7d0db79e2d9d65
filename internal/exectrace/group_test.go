package exectrace

import (
	"slices"
	"testing"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// stackOf makes a stack of functions, leaf first. Each has its place as line.
func stackOf(functions ...string) trace.Stack {
	frames := make([]trace.StackFrame, len(functions))
	for i, f := range functions {
		frames[i] = trace.StackFrame{PC: uint64(i + 1), Func: f, File: "file.go", Line: uint64(i + 1)}
	}
	return trace.MakeStack(frames)
}

func TestGroupOfAGoroutine(t *testing.T) {
	deep := append([]string{"runtime.gopark", "runtime.block"}, slices.Repeat([]string{"main.deep"}, wholeStack-1)...)
	for _, tc := range []struct {
		name   string
		stack  []string
		sight  sight
		group  int32 // 0, the first, unless there is none
		state  stack.State
		blamed string
		entry  string
	}{
		{"waits, status", []string{"runtime.gopark", "time.Sleep", "main.f", "main.g"}, sightWaiting, 0, stack.StateSleep, "main.f", "main.g"},
		{"waits, event", []string{"time.Sleep", "main.f", "main.g"}, sightWaiting, 0, stack.StateSleep, "main.f", "main.g"},
		{"moved", []string{"runtime.gopark", "time.Sleep", "main.f", "main.g"}, sightMoved, 0, stack.StateRunning, "main.g", "main.g"},
		{"moved from a system call", []string{"syscall.read", "syscall.Read", "main.g"}, sightMoved, 0, stack.StateRunning, "main.g", "main.g"},
		{"preempted in a select", []string{"runtime.selectgo", "main.f", "main.g"}, sightPreempted, 0, stack.StateRunning, "main.g", "main.g"},
		{"in a system call", []string{"syscall.read", "syscall.Read", "main.f", "main.g"}, sightSyscall, 0, stack.StateSyscall, "main.f", "main.g"},
		{"ready, waited before", []string{"runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "main.f"}, sightReady, 0, stack.StateChanReceive, "main.f", "main.f"},
		{"ready, new", []string{"main.f"}, sightReady, 0, stack.StateRunning, "main.f", "main.f"},
		{"too deep", deep, sightWaiting, 0, stack.StateSelectNoCases, "main.deep", ""},
		{"too deep, moved", deep, sightMoved, stack.NoGroup, "", "", ""},
		{"new", []string{"main.f"}, sightCreated, stack.NoGroup, "", "", ""},
		{"lost", []string{"main.f"}, sightLost, stack.NoGroup, "", "", ""},
		{"coroutine", []string{"runtime.coroswitch", "iter.Pull[...].func1.1", "main.f", "iter.Pull[...].func1", "runtime.corostart"}, sightWaiting, 0, stack.StateCoroutine, "main.f", "iter.Pull[...].func1"},
		{"coroutine that has not begun", []string{""}, sightWaiting, 0, stack.StateCoroutine, "runtime.corostart", ""},
		{"callback from C", []string{"runtime.chanrecv1", "main.f", "main.export", "_cgoexp_0123456789ab_export", "runtime.cgocallbackg1", "runtime.cgocallbackg", "runtime.cgocallback"}, sightWaiting, 0, stack.StateChanReceive, "main.f", "main.export"},
		{"in C", []string{"main._Cfunc_wait", "main.f"}, sightSyscall, 0, stack.StateSyscall, "main.f", "main.f"},
		{"empty stack", nil, sightWaiting, stack.NoGroup, "", "", ""},
		{"the runtime's own", []string{"runtime.gopark", "runtime.bgsweep"}, sightWaiting, leftOut, "", "", ""},
		{"the runtime's own, runs", []string{"runtime.gopark", "runtime.gcBgMarkWorker"}, sightMoved, leftOut, "", "", ""},
		{"the runtime's own, new", []string{"runtime.gcBgMarkWorker"}, sightCreated, leftOut, "", "", ""},
		{"the runtime's own, lost", []string{"runtime.gopark", "runtime.bgsweep"}, sightLost, leftOut, "", "", ""},
		{"writes the trace", []string{"runtime.gopark", "runtime.ReadTrace", "runtime/trace.Start.func1"}, sightWaiting, leftOut, "", "", ""},
		{"writes the trace, new", []string{"runtime/trace.(*traceMultiplexer).startLocked.func1"}, sightCreated, leftOut, "", "", ""},
		{"serves the trace", []string{"runtime.selectgo", "net/http/pprof.sleep", "net/http/pprof.Trace", "net/http.(*conn).serve"}, sightWaiting, 0, stack.StateSelect, "net/http/pprof.sleep", "net/http.(*conn).serve"},
		{"control characters", []string{"time.Sleep", "main.f\n\x1b", "main.g"}, sightWaiting, 0, stack.StateSleep, "main.f\uFFFD\uFFFD", "main.g"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGrouping((&stacks{seen: []trace.Stack{stackOf(tc.stack...)}}).frames, go126)
			group := g.groupOf(goroutine{0, tc.sight})
			if group != tc.group {
				t.Fatalf("group %d, want %d", group, tc.group)
			}
			if group < 0 {
				return
			}
			s := g.groups[group].Signature
			if s.State != tc.state || s.Blamed.Function != tc.blamed || s.Entry != tc.entry {
				t.Errorf("got %s at %s:%d, entry %q", s.State, s.Blamed.Function, s.Blamed.Line, s.Entry)
			}
		})
	}
}

// A wrong entry would look as if the process had been restarted.
func TestRootThatMayBeWrong(t *testing.T) {
	for _, tc := range []struct {
		name         string
		stack        []string
		sight        sight
		until, since int32 // the group before Go 1.25, and from then on
	}{
		{"lost its root", []string{"sync.(*WaitGroup).Add"}, sightPreempted, stack.NoGroup, 0},
		{"lost its root, runs", []string{"sync.(*WaitGroup).Add"}, sightMoved, stack.NoGroup, 0},
		{"lost its root, in the runtime", []string{"runtime.mallocgc"}, sightReady, stack.NoGroup, leftOut},
		{"kept its root", []string{"sync.(*WaitGroup).Add", "main.work"}, sightPreempted, 0, 0},
		{"interrupted", []string{"runtime.asyncPreempt", "main.hash"}, sightPreempted, stack.NoGroup, stack.NoGroup},
		{"interrupted, lost both", []string{"runtime.asyncPreempt2", "runtime.asyncPreempt"}, sightPreempted, stack.NoGroup, stack.NoGroup},
		{"interrupted for the garbage collector", []string{"runtime.asyncPreempt", "main.hash", "main.work"}, sightWaiting, stack.NoGroup, stack.NoGroup},
		{"interrupted below", []string{"runtime.asyncPreempt", "main.hash", "main.work"}, sightReady, 0, 0},
		{"callback from C, lost its root", []string{"runtime.asyncPreempt", "main.hash", "_cgoexp_0123456789ab_export", "runtime.cgocallbackg1", "runtime.cgocallbackg", "runtime.cgocallback"}, sightReady, stack.NoGroup, stack.NoGroup},
		{"coroutine, lost its root", []string{"runtime.asyncPreempt", "main.hash", "runtime.corostart"}, sightReady, stack.NoGroup, stack.NoGroup},
		{"not begun", []string{""}, sightReady, stack.NoGroup, stack.NoGroup},
		{"the runtime's own", []string{"runtime.bgsweep"}, sightPreempted, leftOut, leftOut},
		{"in a system call", []string{"main.work"}, sightSyscall, 0, 0},
	} {
		for v, want := range map[version]int32{go123: tc.until, go125: tc.since, go126: tc.since} {
			g := newGrouping((&stacks{seen: []trace.Stack{stackOf(tc.stack...)}}).frames, v)
			if got := g.groupOf(goroutine{0, tc.sight}); got != want {
				t.Errorf("%s, version %d: group %d, want %d", tc.name, v, got, want)
			}
		}
	}
}

func TestStacksThatDifferOnlyInAPlaceThatDoesNotMatterShareAGroup(t *testing.T) {
	same := stacks{seen: []trace.Stack{
		stackOf("runtime.gopark", "time.Sleep", "main.f"),
		stackOf("runtime.gopark", "time.Sleep", "main.f"),
	}}
	g := newGrouping(same.frames, go126)
	if a, b := g.groupOf(goroutine{0, sightWaiting}), g.groupOf(goroutine{1, sightWaiting}); a != b || len(g.groups) != 1 {
		t.Errorf("groups %d and %d of %d", a, b, len(g.groups))
	}
}

func TestImpossibleLineIsUnknown(t *testing.T) {
	if got := lineNumber(1 << 63); got != 0 {
		t.Errorf("line %d", got)
	}
	if got := lineNumber(maxLine - 1); got != maxLine-1 {
		t.Errorf("line %d", got)
	}
}

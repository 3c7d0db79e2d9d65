package stack

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse makes frames of "leaf:line < caller:line < root:line".
func parse(s string) []Frame {
	var frames []Frame
	for part := range strings.SplitSeq(s, " < ") {
		name, line, _ := strings.Cut(part, "@")
		f := Frame{Function: name, File: "file.go"}
		for _, c := range line {
			f.Line = f.Line*10 + int(c-'0')
		}
		frames = append(frames, f)
	}
	return frames
}

// The stacks are as Go 1.23 and 1.26 wrote them, some into goroutine profiles,
// some into execution traces.
func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name     string
		stack    string
		activity Activity
		state    State
		blamed   string
		line     int
		entry    string
	}{
		{"chan receive", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < main.g@9 < runtime.goexit", Unknown, StateChanReceive, "main.f", 7, "main.g"},
		{"chan receive, trace status", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < main.g@9", Waiting, StateChanReceive, "main.f", 7, "main.g"},
		{"chan receive, trace event", "runtime.chanrecv1 < main.f@7 < main.g@9", Waiting, StateChanReceive, "main.f", 7, "main.g"},
		{"range over a channel", "runtime.gopark < runtime.chanrecv < runtime.chanrecv2 < main.f@7", Unknown, StateChanReceive, "main.f", 7, "main.f"},
		{"chan send", "runtime.gopark < runtime.chansend < runtime.chansend1 < main.f@7", Unknown, StateChanSend, "main.f", 7, "main.f"},
		{"select", "runtime.gopark < runtime.selectgo < main.f@7", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"select by reflection", "runtime.gopark < runtime.selectgo < reflect.rselect < reflect.Select < main.f@7", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"select without cases", "runtime.gopark < runtime.block < main.f@7", Unknown, StateSelectNoCases, "main.f", 7, "main.f"},
		{"mutex", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < internal/sync.runtime_SemacquireMutex < internal/sync.(*Mutex).lockSlow < internal/sync.(*Mutex).Lock < sync.(*Mutex).Lock < main.f@7", Unknown, StateMutex, "main.f", 7, "main.f"},
		{"mutex, Go 1.23", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_SemacquireMutex < sync.(*Mutex).lockSlow < sync.(*Mutex).Lock < main.f@7", Unknown, StateMutex, "main.f", 7, "main.f"},
		{"mutex, trace event", "sync.(*Mutex).Lock < main.f@7", Waiting, StateMutex, "main.f", 7, "main.f"},
		{"mutex taken again after Cond.Wait", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < internal/sync.runtime_SemacquireMutex < internal/sync.(*Mutex).lockSlow < internal/sync.(*Mutex).Lock < sync.(*Mutex).Lock < sync.(*Cond).Wait < main.f@7", Unknown, StateMutex, "main.f", 7, "main.f"},
		{"read lock", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_SemacquireRWMutexR < sync.(*RWMutex).RLock < main.f@7", Unknown, StateRWMutexRead, "main.f", 7, "main.f"},
		{"write lock", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_SemacquireRWMutex < sync.(*RWMutex).Lock < main.f@7", Unknown, StateRWMutexWrite, "main.f", 7, "main.f"},
		{"write lock behind another writer", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < internal/sync.runtime_SemacquireMutex < internal/sync.(*Mutex).lockSlow < internal/sync.(*Mutex).Lock < sync.(*Mutex).Lock < sync.(*RWMutex).Lock < main.f@7", Unknown, StateRWMutexWrite, "main.f", 7, "main.f"},
		{"wait group", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_SemacquireWaitGroup < sync.(*WaitGroup).Wait < main.f@7", Unknown, StateWaitGroup, "main.f", 7, "main.f"},
		{"wait group, Go 1.23", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_Semacquire < sync.(*WaitGroup).Wait < main.f@7", Unknown, StateWaitGroup, "main.f", 7, "main.f"},
		{"cond", "runtime.gopark < runtime.goparkunlock < sync.runtime_notifyListWait < sync.(*Cond).Wait < main.f@7", Unknown, StateCond, "main.f", 7, "main.f"},
		{"cond, trace event", "sync.(*Cond).Wait < main.f@7", Waiting, StateCond, "main.f", 7, "main.f"},
		{"WaitGroup.Go", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < main.g@9 < sync.(*WaitGroup).Go.func1@239 < runtime.goexit", Unknown, StateChanReceive, "main.f", 7, "main.g"},
		{"WaitGroup.Go, trace status", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < sync.(*WaitGroup).Go.func1@239", Waiting, StateChanReceive, "main.f", 7, "main.f"},
		{"WaitGroup.Go, running", "main.f@7 < main.g@9 < sync.(*WaitGroup).Go.func1@239", Executing, StateRunning, "main.g", 0, "main.g"},
		{"WaitGroup.Go, not begun", "sync.(*WaitGroup).Go.func1@229", Executing, StateRunning, "sync.(*WaitGroup).Go.func1", 0, ""},
		{"WaitGroup.Go, ended", "sync.(*WaitGroup).Done@156 < sync.(*WaitGroup).Go.func1.1@238 < sync.(*WaitGroup).Go.func1@240", Executing, StateRunning, "sync.(*WaitGroup).Go.func1", 0, ""},
		{"errgroup", "runtime.gopark < runtime.selectgo < main.f@7 < golang.org/x/sync/errgroup.(*Group).Go.func1@93 < runtime.goexit", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"go group.Wait()", "runtime.gopark < sync.runtime_SemacquireWaitGroup < sync.(*WaitGroup).Wait@9 < golang.org/x/sync/errgroup.(*Group).Wait@7 < runtime.goexit", Unknown, StateWaitGroup, "golang.org/x/sync/errgroup.(*Group).Wait", 7, "golang.org/x/sync/errgroup.(*Group).Wait"},
		{"errgroup, at its limit", "runtime.chansend1 < golang.org/x/sync/errgroup.(*Group).Go@71 < main.f@7", Waiting, StateChanSend, "main.f", 7, "main.f"},
		{"sleep", "runtime.gopark < time.Sleep < main.f@7", Unknown, StateSleep, "main.f", 7, "main.f"},
		{"sleep that was started directly", "runtime.gopark < time.Sleep@300 < runtime.goexit", Unknown, StateSleep, "time.Sleep", 300, "time.Sleep"},
		{"network", "runtime.gopark < runtime.netpollblock < internal/poll.runtime_pollWait < internal/poll.(*pollDesc).wait < internal/poll.(*pollDesc).waitRead < internal/poll.(*FD).Read < net.(*netFD).Read < net.(*conn).Read < main.f@7", Unknown, StateIOWait, "main.f", 7, "main.f"},
		{"network, trace event", "internal/poll.(*FD).Read < net.(*netFD).Read < net.(*conn).Read < main.f@7", Waiting, StateIOWait, "main.f", 7, "main.f"},
		{"network, started by net/http", "runtime.gopark < runtime.netpollblock < internal/poll.runtime_pollWait < internal/poll.(*FD).Read < net.(*conn).Read@9 < bufio.(*Reader).Peek < net/http.(*persistConn).readLoop < runtime.goexit", Unknown, StateIOWait, "net/http.(*persistConn).readLoop", 0, "net/http.(*persistConn).readLoop"},
		{"file lock", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < internal/poll.runtime_Semacquire < internal/poll.(*fdMutex).rwlock < internal/poll.(*FD).writeLock < internal/poll.(*FD).Write < os.(*File).Write < main.f@7", Unknown, StateSemaphore, "main.f", 7, "main.f"},
		{"syscall", "internal/runtime/syscall.Syscall6 < syscall.RawSyscall6 < syscall.Syscall < syscall.read < os.(*File).Read < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"syscall, trace event", "syscall.read < syscall.Read < os.(*File).Read < main.f@7", InSyscall, StateSyscall, "main.f", 7, "main.f"},
		{"C", "runtime.cgocall < main._Cfunc_wait < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"signal.Notify", "runtime.notetsleepg < os/signal.signal_recv@150 < os/signal.loop@23 < runtime.goexit", Unknown, StateSyscall, "os/signal.loop", 23, "os/signal.loop"},
		{"running", "runtime.asyncPreempt < runtime.selectgo < main.f@7 < main.g@9", Unknown, StateRunning, "main.g", 0, "main.g"},
		{"preempted in select, trace event", "runtime.selectgo < main.f@7 < main.g@9", Executing, StateRunning, "main.g", 0, "main.g"},
		{"readied and not run yet", "runtime.gopark < runtime.selectgo < main.f@7 < main.g@9", Executing, StateSelect, "main.f", 7, "main.g"},
		{"helping the garbage collector", "runtime.gopark < runtime.goparkunlock < runtime.gcParkAssist < runtime.mallocgc < main.f@7 < sync.(*Once).Do < main.g@9", Unknown, StateOther, "main.f", 7, "main.g"},
		{"main", "runtime.gopark < runtime.selectgo < main.main@7 < runtime.main < runtime.goexit", Unknown, StateSelect, "main.main", 7, "main.main"},
		{"module without a dot", "runtime.gopark < runtime.selectgo < app/server.run@7", Unknown, StateSelect, "app/server.run", 7, "app/server.run"},
		{"module with an escaped dot", "runtime.gopark < runtime.selectgo < gopkg.in/yaml%2ev3.(*T).run@7", Unknown, StateSelect, "gopkg.in/yaml.v3.(*T).run", 7, "gopkg.in/yaml.v3.(*T).run"},
		{"vendored by the standard library", "runtime.gopark < runtime.selectgo < vendor/golang.org/x/net/http2.run@3 < main.f@7", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"vendored in GOPATH", "runtime.gopark < runtime.selectgo < app/vendor/golang.org/x/net/http2.run@3 < main.f@7", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"generic function as a profile names it", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < app/x.(*Set[go.shape.[]app/y.T]).wait@7 < app/x.Run[go.shape.[]app/y.T].func1@9", Unknown, StateChanReceive, "app/x.(*Set[...]).wait", 7, "app/x.Run[...].func1"},
		{"generic function of ours in a standard one", "runtime.gopark < runtime.selectgo < slices.SortFunc[go.shape.[]app/x.T,go.shape.struct{}]@3 < app/x.Map[...]@7", Unknown, StateSelect, "app/x.Map[...]", 7, "app/x.Map[...]"},
		{"user finalizer", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.close@7 < runtime.runFinalizers < runtime.goexit", Unknown, StateChanReceive, "main.close", 7, "runtime.runFinalizers"},
		{"iterator that has yielded", "runtime.coroswitch < iter.Pull[go.shape.int].func1.1@403 < main.f@7 < iter.Pull[go.shape.int].func1@417 < runtime.corostart@75 < runtime.goexit", Unknown, StateCoroutine, "main.f", 7, "iter.Pull[...].func1"},
		{"iterator of pairs, trace status", "runtime.coroswitch < iter.Pull2[...].func1.1@403 < main.f@7 < iter.Pull2[...].func1@417 < runtime.corostart@75", Waiting, StateCoroutine, "main.f", 7, "iter.Pull2[...].func1"},
		{"iterator that waits by itself", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < iter.Pull[...].func1@417 < runtime.corostart@75", Unknown, StateChanReceive, "main.f", 7, "iter.Pull[...].func1"},
		{"next, while the iterator waits", "runtime.coroswitch < iter.Pull[...].func2@317 < main.f@7 < main.g@9", Unknown, StateCoroutine, "main.f", 7, "main.g"},
		{"iterator that nobody has asked", "runtime.corostart@69", Unknown, StateCoroutine, "runtime.corostart", 0, ""},
		{"iterator of the standard library", "runtime.coroswitch < iter.Pull[...].func1.1 < maps.Keys[...].func1@28 < iter.Pull[...].func1 < runtime.corostart", Unknown, StateCoroutine, "maps.Keys[...].func1", 28, "iter.Pull[...].func1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, ok := Read(parse(tc.stack), tc.activity)
			if !ok {
				t.Fatal("taken for one of the runtime's own")
			}
			if s.State != tc.state || s.Blamed.Function != tc.blamed || s.Blamed.Line != tc.line || s.Entry != tc.entry {
				t.Errorf("got %s at %s:%d, entry %s", s.State, s.Blamed.Function, s.Blamed.Line, s.Entry)
			}
		})
	}
}

func TestReadLeavesOutTheRuntimesOwn(t *testing.T) {
	for _, s := range []string{
		"runtime.gopark < runtime.goparkunlock < runtime.bgsweep < runtime.goexit",
		"runtime.gopark < runtime.gcBgMarkWorker",
		"runtime.gopark < runtime.runFinalizers",
		"runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < runtime.unique_runtime_registerUniqueMapCleanup.func1",
		"runtime.goexit",
	} {
		if sig, ok := Read(parse(s), Unknown); ok {
			t.Errorf("%s: got %+v", s, sig)
		}
	}
	if _, ok := Read(nil, Unknown); ok {
		t.Error("a stack without frames has a signature")
	}
}

func TestReadKnowsNoEntryOfAStackThatWasCut(t *testing.T) {
	frames := parse("runtime.gopark < runtime.selectgo < main.f@7")
	for len(frames) < MaxDepth {
		frames = append(frames, Frame{Function: "main.descend", Line: 3})
	}
	s, ok := Read(frames, Unknown)
	if !ok || s.Entry != "" || s.Blamed.Function != "main.f" {
		t.Errorf("got %+v", s)
	}
}

// The ID is part of what alerts and dashboards refer to: it may not change from
// one version of this package to the next.
func TestIDStaysTheSame(t *testing.T) {
	s, _ := Read(parse("runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < main.g@9"), Unknown)
	if got, want := s.ID.String(), "66c368b38af993c3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIDDependsOnEveryPartButTheFile(t *testing.T) {
	base := Signature{State: StateSelect, Blamed: Frame{Function: "main.f", File: "a.go", Line: 7}, Entry: "main.g"}
	file, state, function, line, entry := base, base, base, base, base
	file.Blamed.File = "b.go"
	state.State = StateMutex
	function.Blamed.Function = "main.h"
	line.Blamed.Line = 8
	entry.Entry = "main.h"
	if identify(file) != identify(base) {
		t.Error("depends on the file")
	}
	for name, s := range map[string]Signature{"state": state, "function": function, "line": line, "entry": entry} {
		if identify(s) == identify(base) {
			t.Errorf("does not depend on the %s", name)
		}
	}
}

func TestPackagePath(t *testing.T) {
	for function, want := range map[string]string{
		"net/http.(*conn).serve":                 "net/http",
		"gopkg.in/yaml%2ev3.Unmarshal":           "gopkg.in/yaml.v3",
		"example.com/a/b.Map[...].func1":         "example.com/a/b",
		"main.Do[go.shape.*example.com/a/b.T_0]": "main",
		"main.main.func1":                        "main",
		"nonsense":                               "nonsense",
		"a%2":                                    "a%2",
		"a%zz/b%2e.f":                            "a%zz/b.",
		"":                                       "",
	} {
		if got, _ := split(function); got != want {
			t.Errorf("%q: got %q, want %q", function, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"main.(*T).f":         "main.(*T).f",
		"main.größe":          "main.größe",
		"a\nb\x1b[31m\x7f":    "a\uFFFDb\uFFFD[31m\uFFFD",
		"a\xffb":              "a\uFFFDb",
		"c1 control \u0085 x": "c1 control \uFFFD x",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	long := Clean(strings.Repeat("ä", MaxNameLength))
	if len(long) > MaxNameLength+3 || !utf8.ValidString(long) {
		t.Errorf("%d bytes, valid %v", len(long), utf8.ValidString(long))
	}
	name := strings.Repeat("x", 500)
	if n := testing.AllocsPerRun(10, func() { Clean(name) }); n != 0 {
		t.Errorf("%v allocations for a clean name", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("runtime.gopark < runtime.selectgo < main.f@7", byte(0))
	f.Add("a%2e.b[ < ]. < /", byte(1))
	f.Add("", byte(2))
	f.Add("main.f@-1 < main.g@99999999999999999999", byte(0))
	f.Add("main.\xff\xfe < main.\n\r\x1b[31mred\x1b]0;title\a < <img src=x onerror=alert(1)>@1", byte(0))
	f.Add(strings.Repeat("long/", 2000)+".f", byte(0))
	f.Add(strings.Repeat("main.f < ", 1000)+"main.f", byte(3)) // a cycle
	f.Fuzz(func(t *testing.T, s string, activity byte) {
		frames := parse(s)
		sig, ok := Read(frames, Activity(activity%4))
		if again, ok2 := Read(frames, Activity(activity%4)); again != sig || ok != ok2 {
			t.Errorf("read twice, got %+v and %+v", sig, again)
		}
		if ok && (sig.State == "" || sig.ID != identify(sig)) {
			t.Errorf("incomplete: %+v", sig)
		}
	})
}

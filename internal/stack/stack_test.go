package stack

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse parses "leaf@line < caller@line < root@line".
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

// The stacks are from goroutine profiles and execution traces of Go 1.23 and 1.26.
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
		{"WaitGroup.Go of a wait", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_SemacquireWaitGroup < sync.(*WaitGroup).Wait@9 < sync.(*WaitGroup).Go.func1@239 < runtime.goexit", Unknown, StateWaitGroup, "sync.(*WaitGroup).Wait", 9, "sync.(*WaitGroup).Wait"},
		{"errgroup of a lock", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < internal/sync.runtime_SemacquireMutex < internal/sync.(*Mutex).lockSlow < internal/sync.(*Mutex).Lock < sync.(*Mutex).Lock@46 < golang.org/x/sync/errgroup.(*Group).Go.func1@93 < runtime.goexit", Unknown, StateMutex, "sync.(*Mutex).Lock", 46, "sync.(*Mutex).Lock"},
		{"a function with a name like cgo's", "runtime.gopark < runtime.selectgo < main._cgoWorker@7 < main.g@9", Unknown, StateSelect, "main._cgoWorker", 7, "main.g"},
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
		{"C", "runtime.cgocall < main._Cfunc_wait@48 < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"C, for its error", "runtime.cgocall < app/lib._C2func_wait@48 < app/lib.f@7", Unknown, StateSyscall, "app/lib.f", 7, "app/lib.f"},
		{"C, a macro", "runtime.cgocall < main._Cmacro_WAIT@48 < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"C, trace event", "main._Cfunc_wait@48 < main.f@7", InSyscall, StateSyscall, "main.f", 7, "main.f"},
		{"C in a goroutine of its own", "runtime.cgocall < main._Cfunc_wait@48 < runtime.goexit", Unknown, StateSyscall, "main._Cfunc_wait", 48, "main._Cfunc_wait"},
		{"C, a module with an escaped dot", "runtime.cgocall < example.com/go-sqlite%2ego._Cfunc_step@48 < example.com/go-sqlite%2ego.f@7", Unknown, StateSyscall, "example.com/go-sqlite.go.f", 7, "example.com/go-sqlite.go.f"},
		{"C, of the standard library", "runtime.cgocall < net._C2func_getaddrinfo@94 < net.cgoLookupHostIP@9 < net.doBlockingWithCtx[...].func1@7 < runtime.goexit", Unknown, StateSyscall, "net.doBlockingWithCtx[...].func1", 7, "net.doBlockingWithCtx[...].func1"},
		{"callback from C", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < main.f@7 < main.export@9 < _cgoexp_0123456789ab_export@130 < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback", Unknown, StateChanReceive, "main.f", 7, "main.export"},
		{"callback from C, of a package", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < app/lib.export@9 < app/lib._cgoexpwrap_0123456789ab_export@3 < app/lib._cgoexp_0123456789ab_export@130 < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback", Waiting, StateChanReceive, "app/lib.export", 9, "app/lib.export"},
		{"callback from C, runs", "main.f@7 < main.export@9 < _cgoexp_0123456789ab_export@130 < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback", Executing, StateRunning, "main.export", 0, "main.export"},
		{"callback from C, before main", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < runtime.cgocallbackg1@390 < runtime.cgocallbackg < runtime.cgocallback@1160", Unknown, StateChanReceive, "runtime.cgocallback", 1160, ""},
		{"callback from Windows", "runtime.gopark < runtime.selectgo < main.f@7 < main.export@9 < runtime.call32 < runtime.callbackWrap < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback", Unknown, StateSelect, "main.f", 7, "main.export"},
		{"Go, C, Go", "runtime.gopark < runtime.block < main.f@7 < _cgoexp_0123456789ab_f@130 < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback < runtime.systemstack_switch < runtime.cgocall < main._Cfunc_g < main.h@9 < runtime.goexit", Unknown, StateSelectNoCases, "main.f", 7, "main.h"},
		{"Go, C, Go, C", "runtime.cgocall < main._Cfunc_wait@48 < main.f@7 < _cgoexp_0123456789ab_f@130 < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback < runtime.systemstack_switch < runtime.cgocall < main._Cfunc_g < main.h@9 < runtime.goexit", Unknown, StateSyscall, "main.f", 7, "main.h"},
		{"golang.org/x/sys/unix", "internal/runtime/syscall.Syscall6 < syscall.RawSyscall6 < syscall.Syscall6 < golang.org/x/sys/unix.EpollWait@115 < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"golang.org/x/sys/windows", "runtime.cgocall < syscall.SyscallN < golang.org/x/sys/windows.GetQueuedCompletionStatus@2300 < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"golang.org/x/sys/unix as leaf", "golang.org/x/sys/unix.SyscallNoError < golang.org/x/sys/unix.Getuid < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"golang.org/x/net/internal/socket", "internal/poll.(*FD).RawRead < net.(*rawConn).Read < golang.org/x/net/internal/socket.(*Conn).recvMsgs < golang.org/x/net/ipv4.(*payloadHandler).ReadBatch < main.f@7", Waiting, StateIOWait, "main.f", 7, "main.f"},
		{"golang.org/x/sync/semaphore", "runtime.gopark < runtime.selectgo < golang.org/x/sync/semaphore.(*Weighted).Acquire@74 < main.f@7", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"golang.org/x/sync/singleflight", "runtime.gopark < runtime.goparkunlock < runtime.semacquire1 < sync.runtime_SemacquireWaitGroup < sync.(*WaitGroup).Wait < golang.org/x/sync/singleflight.(*Group).Do@113 < main.f@7", Unknown, StateWaitGroup, "main.f", 7, "main.f"},
		{"singleflight.DoChan", "runtime.gopark < runtime.block < main.f@7 < main.g@9 < golang.org/x/sync/singleflight.(*Group).doCall.func2 < golang.org/x/sync/singleflight.(*Group).doCall < runtime.goexit", Unknown, StateSelectNoCases, "main.f", 7, "main.g"},
		{"singleflight.Do", "runtime.gopark < runtime.block < main.f@7 < golang.org/x/sync/singleflight.(*Group).doCall.func2 < golang.org/x/sync/singleflight.(*Group).doCall < golang.org/x/sync/singleflight.(*Group).Do < main.g@9", Unknown, StateSelectNoCases, "main.f", 7, "main.g"},
		{"golang.org/x/crypto", "runtime.gopark < runtime.selectgo < golang.org/x/crypto/ssh.(*mux).loop@7 < runtime.goexit", Unknown, StateSelect, "golang.org/x/crypto/ssh.(*mux).loop", 7, "golang.org/x/crypto/ssh.(*mux).loop"},
		{"like golang.org/x/net", "runtime.gopark < runtime.selectgo < golang.org/x/network.f@7 < main.g@9", Unknown, StateSelect, "golang.org/x/network.f", 7, "main.g"},
		{"like golang.org/x", "runtime.gopark < runtime.selectgo < notgolang.org/x/net.f@7 < main.g@9", Unknown, StateSelect, "notgolang.org/x/net.f", 7, "main.g"},
		{"like vendor", "runtime.gopark < runtime.selectgo < app/myvendor/golang.org/x/net.f@7 < main.g@9", Unknown, StateSelect, "app/myvendor/golang.org/x/net.f", 7, "main.g"},
		{"client of golang.org/x/net/http2", "internal/poll.(*FD).Read < net.(*conn).Read < bufio.(*Reader).Read < io.ReadFull < golang.org/x/net/http2.readFrameHeader < golang.org/x/net/http2.(*Framer).ReadFrame < golang.org/x/net/http2.(*clientConnReadLoop).run < golang.org/x/net/http2.(*ClientConn).readLoop@9", Waiting, StateIOWait, "golang.org/x/net/http2.(*ClientConn).readLoop", 9, "golang.org/x/net/http2.(*ClientConn).readLoop"},
		{"module internal/app", "runtime.gopark < runtime.selectgo < internal/app.run@7 < runtime.goexit", Unknown, StateSelect, "internal/app.run", 7, "internal/app.run"},
		{"package below runtime/app", "runtime.gopark < runtime.selectgo < net.f < runtime/app/server.run@7", Unknown, StateSelect, "runtime/app/server.run", 7, "runtime/app/server.run"},
		{"module runtime.example", "runtime.gopark < runtime.selectgo < runtime.example/app.run@7", Unknown, StateSelect, "runtime.example/app.run", 7, "runtime.example/app.run"},
		{"package of another Go version", "internal/runtime/syscall/linux.Syscall6 < runtime/internal/syscall.Syscall6 < encoding/json/v2.f < main.f@7", Unknown, StateSyscall, "main.f", 7, "main.f"},
		{"main while it is initialised", "runtime.gopark < runtime.selectgo < app/x.f@7 < app/x.init.0@9 < runtime.doInit1 < runtime.doInit < runtime.main < runtime.goexit", Unknown, StateSelect, "app/x.f", 7, "app/x.init.0"},
		{"main while it is initialised, trace status", "runtime.gopark < runtime.selectgo < app/x.f@7 < app/x.init.0@9 < runtime.doInit1 < runtime.doInit", Waiting, StateSelect, "app/x.f", 7, "app/x.init.0"},
		{"main between two initialisers", "runtime.doInit1@7000 < runtime.doInit", Executing, StateRunning, "runtime.doInit", 0, ""},
		{"errgroup, ended", "sync.(*WaitGroup).Done < golang.org/x/sync/errgroup.(*Group).done@57 < golang.org/x/sync/errgroup.(*Group).Go.func1@95", Executing, StateRunning, "golang.org/x/sync/errgroup.(*Group).Go.func1", 0, ""},
		{"errgroup, gives its place back", "runtime.gopark < runtime.chanrecv < runtime.chanrecv1 < golang.org/x/sync/errgroup.(*Group).done@57 < golang.org/x/sync/errgroup.(*Group).TryGo.func1@95", Unknown, StateChanReceive, "golang.org/x/sync/errgroup.(*Group).TryGo.func1", 95, ""},
		{"errgroup, tells the error", "context.(*cancelCtx).cancel < golang.org/x/sync/errgroup.(*Group).Go.func1.1 < sync.(*Once).doSlow < sync.(*Once).Do < golang.org/x/sync/errgroup.(*Group).Go.func1@95", Executing, StateRunning, "golang.org/x/sync/errgroup.(*Group).Go.func1", 0, ""},
		{"errgroup by WaitGroup.Go", "runtime.gopark < runtime.selectgo < main.f@7 < golang.org/x/sync/errgroup.(*Group).Go.func1@93 < sync.(*WaitGroup).Go.func1@239", Unknown, StateSelect, "main.f", 7, "main.f"},
		{"server of net/http", "internal/poll.(*FD).Read < net.(*conn).Read < net/http.(*connReader).Read < bufio.(*Reader).fill < net/textproto.(*Reader).ReadLine < net/http.readRequest < net/http.(*conn).readRequest < net/http.(*conn).serve@7", Waiting, StateIOWait, "net/http.(*conn).serve", 7, "net/http.(*conn).serve"},
		{"copies of os/exec", "internal/poll.(*FD).Read < os.(*File).Read < io.copyBuffer < io.Copy < os/exec.(*Cmd).writerDescriptor.func1@7 < os/exec.(*Cmd).Start.func2", Waiting, StateIOWait, "os/exec.(*Cmd).writerDescriptor.func1", 7, "os/exec.(*Cmd).Start.func2"},
		{"client of net/http by itself", "runtime.gopark < runtime.selectgo < net/http.(*persistConn).roundTrip < net/http.(*Transport).RoundTrip < net/http.send < net/http.(*Client).send < net/http.(*Client).do < net/http.(*Client).Do@7 < runtime.goexit", Unknown, StateSelect, "net/http.(*Client).Do", 7, "net/http.(*Client).Do"},
		{"net/http over golang.org/x/net/netutil", "runtime.gopark < runtime.selectgo < golang.org/x/net/netutil.(*limitListener).acquire < golang.org/x/net/netutil.(*limitListener).Accept < net/http.(*Server).Serve@7", Unknown, StateSelect, "net/http.(*Server).Serve", 7, "net/http.(*Server).Serve"},
		{"dial of package net", "internal/poll.(*pollDesc).wait < net.(*netFD).connect < net.socket < net.(*sysDialer).dialTCP < net.(*sysDialer).dialParallel.func1@7", Waiting, StateIOWait, "net.(*sysDialer).dialParallel.func1", 7, "net.(*sysDialer).dialParallel.func1"},
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
		{"iterator over another", "runtime.coroswitch < iter.Pull[...].func1.1 < main.f-range1@7 < slices.Values[...].func1 < main.f@6 < iter.Pull[...].func1 < runtime.corostart", Unknown, StateCoroutine, "main.f-range1", 7, "iter.Pull[...].func1"},
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
			if fromC := strings.HasPrefix(tc.name, "callback from"); s.FromC != fromC {
				t.Errorf("from C: %v", s.FromC)
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
	fromC := base
	fromC.FromC = true
	for name, s := range map[string]Signature{"origin": fromC, "state": state, "function": function, "line": line, "entry": entry} {
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
		if got, _ := splitName(function); got != want {
			t.Errorf("%q: got %q, want %q", function, got, want)
		}
	}
}

// The list must have all packages of the Go command that runs the test.
func TestStandardPackagesAreKnown(t *testing.T) {
	list, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(list)) {
		if _, known := packageTraits[path]; !known {
			t.Errorf("%s is not in the list: go generate ./internal/stack", path)
		}
	}
}

func TestUnescapedNamesAreClean(t *testing.T) {
	for function, want := range map[string]string{
		"github.com/nats-io/nats%2ego.(*Conn).readLoop": "github.com/nats-io/nats.go.(*Conn).readLoop",
		"gopkg.in/yaml%2ev3.Do[go.shape.int].func1":     "gopkg.in/yaml.v3.Do[...].func1",
		"main.percent%2e": "main.percent%2e",
		"a%0ab.f":         "a\uFFFDb.f",
		"a%c3%b6.f":       "aö.f",
		"a%ffb.f":         "a\uFFFDb.f",
		"app/x.Map[go.shape.struct { F example%2ecom/y.T }].f": "app/x.Map[...].f",
	} {
		if got := displayName(function); got != want {
			t.Errorf("%s: got %q, want %q", function, got, want)
		}
	}
}

func TestTrimRoot(t *testing.T) {
	for stack, want := range map[string]int{
		"main.f < main.main < runtime.main < runtime.goexit":                                        2,
		"main.f < main.init < runtime.doInit1 < runtime.doInit":                                     2,
		"main.f < sync.(*WaitGroup).Go.func1":                                                       1,
		"main.f < _cgoexp_0_f < runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback": 1,
		"main.f < main.g < runtime.corostart":                                                       2,
		"runtime.corostart":                                                                         1,
		"sync.(*WaitGroup).Done < sync.(*WaitGroup).Go.func1":                                       2,
		"main.f": 1,
	} {
		if got := len(TrimRoot(parse(stack))); got != want {
			t.Errorf("%s: %d frames, want %d", stack, got, want)
		}
	}
	if got := TrimRoot(nil); len(got) > 0 {
		t.Error(got)
	}
}

func TestTransfer(t *testing.T) {
	for name, want := range map[string]bool{
		".(*persistConn).Read": true, ".(*conn).readRequest": true, ".http2readFrameHeader": true,
		".persistConnWriter.Write": true, ".(*connReader).backgroundRead": true, ".(*bodyEOFSignal).Close": true,
		".(*http2ClientConn).RoundTrip": true, ".(*Client).do": true, ".(*http2Framer).WriteData": true,
		".(*conn).serve": false, ".(*Server).Serve": false, ".(*Cmd).writerDescriptor.func1": false,
		".(*connReader).startThread": false, ".(*Resolver).ready": false, ".(*DB).connectionOpener": false,
		".(*Server).doneLocked": false, "": false, ".http2": false,
	} {
		if isTransfer(name) != want {
			t.Errorf("%s: %v", name, !want)
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
	for _, long := range []string{"ä", "ab", "\xffa", "\n"} {
		got := Clean(strings.Repeat(long, MaxNameLength))
		if len(got) > MaxNameLength || len(got) < MaxNameLength-2 || !utf8.ValidString(got) {
			t.Errorf("%q: %d bytes, valid %v", long, len(got), utf8.ValidString(got))
		}
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

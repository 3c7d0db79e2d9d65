package exectrace

import (
	"slices"
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// groupName is a group as a person would name it.
type groupName struct {
	state           stack.State
	function, entry string
}

// TestNames decodes the profile and the trace of testdata/named: each group must blame code that
// can be fixed, and have the same signature in both.
func TestNames(t *testing.T) {
	http2 := map[string]string{"go1.26": "net/http.(*http2", "go1.27": "net/http/internal/http2.(*"}
	extended := map[string]string{"go1.26": "golang.org/x/net/http2.(*", "go1.27": "net/http/internal/http2.(*"}
	for version := range http2 {
		t.Run(version, func(t *testing.T) {
			inProfile, inTrace := readNamed(t, "all-"+version)
			for _, want := range slices.Concat(namesInCallsAndCoroutines, namesInExtended, namesInStandard, namesInHTTP, []groupName{
				{stack.StateIOWait, http2[version] + "serverConn).readFrames", http2[version] + "serverConn).readFrames"},
				{stack.StateSelect, http2[version] + "serverConn).serve", "net/http.(*conn).serve"},
				{stack.StateChanReceive, "main.answer", http2[version] + "serverConn).runHandler"},
				{stack.StateIOWait, http2[version] + "ClientConn).readLoop", http2[version] + "ClientConn).readLoop"},
				{stack.StateSelect, http2[version] + "clientStream).doRequest", http2[version] + "clientStream).doRequest"},
				{stack.StateIOWait, extended[version] + "ClientConn).readLoop", extended[version] + "ClientConn).readLoop"},
				{stack.StateIOWait, extended[version] + "serverConn).readFrames", extended[version] + "serverConn).readFrames"},
			}) {
				a, b := inProfile[want], inTrace[want]
				if a.Count == 0 || b.Count == 0 {
					t.Errorf("%d in the profile, %d in the trace: %+v", a.Count, b.Count, want)
				} else if a.ID != b.ID || a.Count != b.Count {
					t.Errorf("%s (%d) in the profile, %s (%d) in the trace: %+v", a.ID, a.Count, b.ID, b.Count, want)
				}
			}
			for _, snapshot := range []map[groupName]stack.Group{inProfile, inTrace} {
				checkNobodyIsBlamedInVain(t, snapshot)
				checkCallbacks(t, snapshot)
			}
		})
	}
}

var namesInCallsAndCoroutines = []groupName{
	{stack.StateSyscall, "main.callC", "main.callC"},
	{stack.StateSyscall, "main.callCForError", "main.callCForError"},
	{stack.StateSyscall, "main.callCWithPointer", "main.callCWithPointer"},
	{stack.StateSyscall, "main.callMacro", "main.callMacro"},
	{stack.StateChanReceive, "main.waitBelowC", "main.callNested"},
	{stack.StateChanReceive, "main.receiveAnswer", "main.waitForAnswer"},
	{stack.StateSyscall, "main.waitInC", "main.waitInC"},
	{stack.StateCoroutine, "main.count", "iter.Pull[...].func1"},
	{stack.StateCoroutine, "main.pairs", "iter.Pull2[...].func1"},
	{stack.StateCoroutine, "main.pullStuck", "main.pullStuck"},
	{stack.StateChanReceive, "main.stuck", "iter.Pull[...].func1"},
	{stack.StateCoroutine, stack.Unstarted, ""},
}

var namesInExtended = []groupName{
	{stack.StateSelect, "main.acquire", "main.acquire"},
	{stack.StateChanReceive, "main.fly", "main.fly"},
	{stack.StateWaitGroup, "main.joinFlight", "main.joinFlight"},
	{stack.StateChanReceive, "main.work", "main.work"},
	{stack.StateChanSend, "main.exceedLimit", "main.exceedLimit"},
	{stack.StateWaitGroup, "main.waitForGroup", "main.waitForGroup"},
	{stack.StateWaitGroup, "golang.org/x/sync/errgroup.(*Group).Wait", "golang.org/x/sync/errgroup.(*Group).Wait"},
	{stack.StateSyscall, "main.poll", "main.poll"},
	{stack.StateIOWait, "main.receivePackets", "main.receivePackets"},
	{stack.StateSelect, "main.talkHTTP2", "main.talkHTTP2"},
	{stack.StateSelect, "main.serveHTTP2", "main.serveHTTP2"},
	{stack.StateIOWait, "github.com/nats-io/nats.go.(*natsReader).Read", "github.com/nats-io/nats.go.(*Conn).readLoop"},
	{stack.StateChanReceive, "github.com/nats-io/nats.go.(*Conn).flusher", "github.com/nats-io/nats.go.(*Conn).flusher"},
	{stack.StateSelectNoCases, "internal/app.Wait", "internal/app.Wait"},
	{stack.StateSelectNoCases, "runtime/app.Wait", "runtime/app.Wait"},
}

var namesInStandard = []groupName{
	{stack.StateIOWait, "os/exec.(*Cmd).writerDescriptor.func1", "os/exec.(*Cmd).Start.func2"},
	{stack.StateSelect, "os/exec.(*Cmd).childStdin.func1", "os/exec.(*Cmd).Start.func2"},
	{stack.StateSelect, "os/exec.(*Cmd).watchCtx", "os/exec.(*Cmd).watchCtx"},
	{stack.StateSyscall, "os/exec.(*Cmd).Wait", "os/exec.(*Cmd).Wait"},
	{stack.StateSyscall, "os/signal.loop", "os/signal.loop"},
	{stack.StateSelect, "os/signal.NotifyContext.func1", "os/signal.NotifyContext.func1"},
	{stack.StateSelect, "database/sql.(*DB).connectionOpener", "database/sql.(*DB).connectionOpener"},
	{stack.StateSelect, "database/sql.(*DB).connectionCleaner", "database/sql.(*DB).connectionCleaner"},
	{stack.StateSelect, "database/sql.(*Rows).awaitDone", "database/sql.(*Rows).awaitDone"},
	{stack.StateChanReceive, "database/sql.(*Tx).awaitDone", "database/sql.(*Tx).awaitDone"},
	{stack.StateIOWait, "net/rpc.(*Client).input", "net/rpc.(*Client).input"},
	{stack.StateIOWait, "net/rpc.(*Server).ServeCodec", "net/rpc.ServeConn"},
	{stack.StateIOWait, "net/rpc.(*Server).ServeCodec", "net/rpc/jsonrpc.ServeConn"},
	{stack.StateIOWait, "net/rpc.(*Server).Accept", "net/rpc.Accept"},
	{stack.StateIOWait, "io.Copy", "io.Copy"},
	{stack.StateSelect, "io.Copy", "io.Copy"},
	{stack.StateSelect, "main.unzip", "main.unzip"},
	{stack.StateSelect, "context.(*cancelCtx).propagateCancel.func2", "context.(*cancelCtx).propagateCancel.func2"},
	{stack.StateChanReceive, "net.(*Resolver).lookupIPAddr.func1", "net.(*Resolver).lookupIPAddr.func1"},
	{stack.StateIOWait, "net.(*Resolver).goLookupIPCNAMEOrder.func3.1", "net.(*Resolver).goLookupIPCNAMEOrder.func3.1"},
	{stack.StateMutex, "sync.(*Mutex).Lock", "sync.(*Mutex).Lock"},
	{stack.StateWaitGroup, "sync.(*WaitGroup).Wait", "sync.(*WaitGroup).Wait"},
	{stack.StateSleep, "time.Sleep", "time.Sleep"},
	{stack.StateChanReceive, "main.wait", "main.wait"},
	{stack.StateChanReceive, "main.fired", "main.fired"},
}

var namesInHTTP = []groupName{
	{stack.StateIOWait, "net/http.(*persistConn).readLoop", "net/http.(*persistConn).readLoop"},
	{stack.StateSelect, "net/http.(*persistConn).readLoop", "net/http.(*persistConn).readLoop"},
	{stack.StateSelect, "net/http.(*persistConn).writeLoop", "net/http.(*persistConn).writeLoop"},
	{stack.StateIOWait, "net/http.(*conn).serve", "net/http.(*conn).serve"},
	{stack.StateIOWait, "net/http.(*connReader).backgroundRead", "net/http.(*connReader).backgroundRead"},
	{stack.StateChanReceive, "main.answer", "net/http.(*conn).serve"},
	{stack.StateIOWait, "net/http.(*Server).Serve", "net/http.(*Server).Serve"},
	{stack.StateIOWait, "net/http.(*Server).Serve", "net/http.Serve"},
	{stack.StateIOWait, "net/http.(*Server).Serve", "net/http.ListenAndServe"},
	{stack.StateIOWait, "net/http.(*Server).Serve", "net/http/httptest.(*Server).goServe.func1"},
	{stack.StateSelect, "net/http.(*timeoutHandler).ServeHTTP", "net/http.(*conn).serve"},
	{stack.StateSelect, "net/http/httputil.(*ReverseProxy).ServeHTTP", "net/http.(*conn).serve"},
	{stack.StateIOWait, "net/http/httputil.(*ReverseProxy).ServeHTTP", "net/http.(*conn).serve"},
	{stack.StateIOWait, "net/http/httputil.switchProtocolCopier.copyFromBackend", "net/http/httputil.switchProtocolCopier.copyFromBackend"},
	{stack.StateIOWait, "net/http.(*persistConn).addTLS.func2", "net/http.(*persistConn).addTLS.func2"},
	{stack.StateIOWait, "net/http.(*Transport).dialConn.func3", "net/http.(*Transport).dialConn.func3"},
	{stack.StateSelect, "main.shakeHands", "main.shakeHands"},
}

// checkNobodyIsBlamedInVain looks for blamed functions that are of no help.
func checkNobodyIsBlamedInVain(t *testing.T, groups map[groupName]stack.Group) {
	t.Helper()
	for name, g := range groups {
		for _, function := range []string{name.function, name.entry} {
			if strings.Contains(function, "_C") || strings.Contains(function, "_cgo") || strings.Contains(function, "%") ||
				strings.HasPrefix(function, "runtime.") && function != stack.Unstarted || strings.HasPrefix(function, "internal/poll.") {
				t.Errorf("%s: %s, entry %s", name.state, name.function, name.entry)
			}
		}
		if strings.HasPrefix(g.Blamed.File, "_cgo_") {
			t.Errorf("%s is in %s", name.function, g.Blamed.File)
		}
	}
}

// checkCallbacks checks that FromC is set for callbacks of C threads, and only for them.
func checkCallbacks(t *testing.T, groups map[groupName]stack.Group) {
	t.Helper()
	for name, g := range groups {
		want := name.entry == "main.waitForAnswer" || name.entry == "main.waitInC"
		if g.FromC != want {
			t.Errorf("from C: %v: %+v", g.FromC, name)
		}
	}
}

func TestMainThatIsInitialised(t *testing.T) {
	for _, version := range []string{"go1.26", "go1.27"} {
		inProfile, inTrace := readNamed(t, "init-"+version)
		want := groupName{stack.StateChanReceive, "main.init.0", "main.init.0"}
		if inProfile[want].ID != inTrace[want].ID || inTrace[want].Count != 1 {
			t.Errorf("%s: %+v in the profile, %+v in the trace", version, inProfile, inTrace)
		}
	}
}

// readNamed returns the groups of a recorded profile and of the trace beside it. Groups that
// differ only in their lines are merged.
func readNamed(t *testing.T, fixture string) (inProfile, inTrace map[groupName]stack.Group) {
	t.Helper()
	p, err := profile.Decode(readFile(t, namedFolder+"/"+fixture+".profile"), maxProfile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(namedFixtures(t)[fixture])
	if err != nil {
		t.Fatal(err)
	}
	return byName(p), byName(s)
}

func byName(s *stack.Snapshot) map[groupName]stack.Group {
	groups := make(map[groupName]stack.Group)
	slices.SortFunc(s.Groups, func(a, b stack.Group) int { return a.Blamed.Line - b.Blamed.Line })
	for _, g := range s.Groups {
		name := groupName{g.State, g.Blamed.Function, g.Entry}
		if first, known := groups[name]; known {
			first.Count += g.Count
			g = first
		}
		groups[name] = g
	}
	return groups
}

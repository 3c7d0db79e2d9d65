package stack

import "strings"

// State is why a goroutine waits.
type State string

// States, with the values of the metric attribute goroutine.state.
const (
	StateChanSend      State = "chan_send"
	StateChanReceive   State = "chan_receive"
	StateSelect        State = "select"
	StateSelectNoCases State = "select_no_cases"
	StateMutex         State = "mutex"
	StateRWMutexRead   State = "rwmutex_read"
	StateRWMutexWrite  State = "rwmutex_write"
	StateWaitGroup     State = "waitgroup"
	StateCond          State = "cond"
	StateSemaphore     State = "semaphore"
	StateSleep         State = "sleep"
	StateIOWait        State = "io_wait"
	StateSyscall       State = "syscall"
	StateCoroutine     State = "coroutine" // either side of iter.Pull
	StateRunning       State = "running"   // running or runnable
	StateOther         State = "other"
)

// stateByFunction maps functions in which goroutines wait to states, for Go 1.22 to 1.27. It has
// the frames of profiles and those of trace events, which begin where the runtime was called.
var stateByFunction = map[string]State{
	"runtime.chansend":  StateChanSend,
	"runtime.chansend1": StateChanSend,
	"runtime.chanrecv":  StateChanReceive,
	"runtime.chanrecv1": StateChanReceive,
	"runtime.chanrecv2": StateChanReceive,
	"runtime.selectgo":  StateSelect,
	"runtime.block":     StateSelectNoCases,

	"reflect.chansend":  StateChanSend,
	"reflect.chansend0": StateChanSend,
	"reflect.chanrecv":  StateChanReceive,
	"reflect.rselect":   StateSelect,

	"internal/sync.runtime_SemacquireMutex": StateMutex,
	"internal/sync.(*Mutex).Lock":           StateMutex,
	"internal/sync.(*Mutex).lockSlow":       StateMutex,
	"sync.runtime_SemacquireMutex":          StateMutex,
	"sync.(*Mutex).Lock":                    StateMutex,
	"sync.(*Mutex).lockSlow":                StateMutex,
	"sync.runtime_SemacquireRWMutexR":       StateRWMutexRead,
	"sync.(*RWMutex).RLock":                 StateRWMutexRead,
	"sync.runtime_SemacquireRWMutex":        StateRWMutexWrite,
	"sync.(*RWMutex).Lock":                  StateRWMutexWrite,
	"sync.runtime_SemacquireWaitGroup":      StateWaitGroup,
	"sync.(*WaitGroup).Wait":                StateWaitGroup,
	"sync.runtime_notifyListWait":           StateCond,
	"sync.(*Cond).Wait":                     StateCond,

	"runtime.coroswitch": StateCoroutine,
	Unstarted:            StateCoroutine,

	"time.Sleep":                       StateSleep,
	"runtime.netpollblock":             StateIOWait,
	"internal/poll.runtime_pollWait":   StateIOWait,
	"internal/poll.(*pollDesc).wait":   StateIOWait,
	"internal/poll.runtime_Semacquire": StateSemaphore,
	"internal/poll.(*fdMutex).rwlock":  StateSemaphore,
	"internal/poll.(*FD).Close":        StateSemaphore,
	"sync.runtime_Semacquire":          StateSemaphore,
	"runtime.semacquire":               StateSemaphore,
	"runtime.semacquire1":              StateSemaphore,
}

// Unstarted is the only function on the stack of a coroutine whose first value has not been
// requested yet. A trace does not show it, a profile does.
const Unstarted = "runtime.corostart"

// refine returns the state of a goroutine given the state from the frames so far and that of the
// next frame. Some states need a later frame: in the runtime everything in package sync is a
// semaphore, and a writer that queues behind another writer of an RWMutex waits at the mutex
// inside it.
//
//	gopark < selectgo < main.f                               ->  select
//	gopark < goparkunlock < semacquire1 < ...Mutex < main.f  ->  semaphore, then mutex
//	time.Sleep < main.f                                      ->  sleep
func refine(state, next State) State {
	switch {
	case state == StateOther,
		state == StateSemaphore && isSyncState(next),
		state == StateMutex && next == StateRWMutexWrite:
		return next
	}
	return state
}

// isSyncState reports whether package sync implements a state with a semaphore.
func isSyncState(s State) bool {
	switch s {
	case StateMutex, StateRWMutexRead, StateRWMutexWrite, StateWaitGroup:
		return true
	}
	return false
}

// isSyscallLeaf reports whether a goroutine with this leaf is outside Go: in a system call, in
// C, or, like the goroutine behind os/signal, asleep with its thread.
func isSyscallLeaf(leaf, path string) bool {
	switch path {
	case "runtime":
		return leaf == "runtime.cgocall" || leaf == "runtime.notetsleepg"
	case "syscall", "internal/runtime/syscall", "internal/runtime/syscall/linux", "runtime/internal/syscall":
		function := strings.ToLower(leaf[strings.LastIndexByte(leaf, '.')+1:])
		return strings.Contains(function, "syscall")
	}
	return false
}

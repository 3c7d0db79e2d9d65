package stack

import (
	"slices"
	"strings"
)

// Traits is all that reading a stack needs to know of a function. It is worked
// out from its name, which takes longer than anything else here: whoever reads
// many stacks of the same functions does it once for each.
type Traits uint16

// The low bits are the index in states of what a goroutine waits for in this
// function, plus 1; 0 if in none.
const (
	waitMask Traits = 1<<5 - 1

	parking    Traits = 1 << (iota + 4) // it is where the runtime parks a goroutine
	outsideGo                           // as a leaf, it says that the goroutine is in a system call or in C
	pollFD                              // it waits for I/O, unless a frame nearer to the leaf says for what
	standard                            // it is of the standard library
	means                               // it is a means of waiting, not a place to be blamed
	ofRuntime                           // its package is runtime
	runtimes                            // its package is runtime or internal/...
	usersEntry                          // the runtime starts it for the user's sake
	beginning                           // the runtime calls the first function of every goroutine from it
	beginsMain                          // the runtime calls main.main from it
	launches                            // a library starts goroutines with it, for whatever it was given
)

// wait returns the state that the function tells, if it tells one.
func (t Traits) wait() (State, bool) {
	if i := t & waitMask; i > 0 {
		return states[i-1], true
	}
	return "", false
}

// states holds every state that a function can tell.
var states = [...]State{
	StateChanSend, StateChanReceive, StateSelect, StateSelectNoCases, StateMutex, StateRWMutexRead, StateRWMutexWrite,
	StateWaitGroup, StateCond, StateSemaphore, StateSleep, StateIOWait,
}

// TraitsOf returns the traits of a function.
func TraitsOf(function string) Traits {
	path := packagePath(function)
	if !isStandard(path) {
		if closure, ok := strings.CutPrefix(function, errgroup); ok && strings.Contains(closure, ".") {
			return launches
		}
		return 0
	}
	t := standard
	if strings.HasPrefix(function, waitGroupGo) {
		t |= launches
	}
	switch {
	case path == "runtime":
		t |= means | ofRuntime | runtimes | traitsInRuntime(function)
	case strings.HasPrefix(path, "internal/"):
		t |= means | runtimes
		if path == "internal/poll" && strings.HasPrefix(function, "internal/poll.(*FD).") {
			t |= pollFD
		}
	case path == "sync", path == "time", strings.HasPrefix(path, "runtime/"):
		t |= means
	}
	if t&means != 0 || path == "reflect" {
		t |= waitIndex(waits[function])
	}
	if isSyscall(function, path) {
		t |= outsideGo
	}
	return t
}

// waitIndex returns the index in states, plus 1, of a state; 0 of none.
func waitIndex(s State) Traits {
	return Traits(slices.Index(states[:], s) + 1)
}

// What starts goroutines for somebody else. All that such a goroutine does is to call
// the function that it was given, so that is its entry.
const (
	waitGroupGo = "sync.(*WaitGroup).Go."
	errgroup    = "golang.org/x/sync/errgroup.(*Group)."
)

// IsLauncher tells a function with which a library starts goroutines for whatever it
// was given.
func IsLauncher(function string) bool { return TraitsOf(function)&launches != 0 }

func traitsInRuntime(function string) Traits {
	switch function {
	case "runtime.gopark", "runtime.goparkunlock", "runtime.coroswitch":
		return parking
	case "runtime.goexit":
		return beginning
	case "runtime.main":
		return beginsMain | usersEntry
	case "runtime.handleAsyncEvent", "runtime.corostart":
		return usersEntry
	}
	return 0
}

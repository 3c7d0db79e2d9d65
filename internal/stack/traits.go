package stack

import (
	"slices"
	"strings"
)

// Traits is all that reading a stack needs to know of a function. It is worked
// out from its name, which takes longer than anything else here: whoever reads
// many stacks of the same functions does it once for each.
type Traits uint32

// The low bits are the index in states of what a goroutine waits for in this
// function, plus 1; 0 if in none.
const (
	waitMask Traits = 1<<5 - 1

	parking       Traits = 1 << (iota + 4) // it is where the runtime parks a goroutine
	outsideGo                              // as a leaf, it says that the goroutine is in a system call or in C
	pollFD                                 // it waits for I/O, unless a frame nearer to the leaf says for what
	standard                               // it is of the standard library
	passes                                 // it is of another package that only passes a wait on
	means                                  // it is a means of waiting, not a place to be blamed
	owns                                   // its package starts goroutines of its own, or serves in those of others
	transfers                              // by its name, it reads or writes for another function of its package
	cgo                                    // cgo generated it, around a call to C or from C
	ofRuntime                              // its package is runtime
	runtimes                               // its package is runtime or internal/...
	usersEntry                             // the runtime starts it for the user's sake
	goexit                                 // it is the root of every goroutine that Go started
	starts                                 // the runtime calls the first function of a goroutine from it
	callbackFromC                          // it is the root of a goroutine in which a C thread calls Go
	launches                               // a library starts goroutines with it, for whatever it was given
	accounts                               // what launches calls it before and after what it was given

	// TraitsKnown is never set, and free for those who keep traits to mark that they do.
	TraitsKnown Traits = 1 << 31
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
	StateWaitGroup, StateCond, StateSemaphore, StateSleep, StateIOWait, StateCoroutine,
}

// InStandardLibrary tells whether a function is of the standard library, by the name of its
// package.
func InStandardLibrary(function string) bool { return TraitsOf(function)&standard != 0 }

// TraitsOf returns the traits of a function.
func TraitsOf(function string) Traits {
	if strings.HasPrefix(function, "runtime.") && strings.IndexByte(function, '/') < 0 {
		t := standard | means | ofRuntime | runtimes | traitsInRuntime(function) | waitTraits[function]
		if isSyscall(function, "runtime") {
			t |= outsideGo
		}
		return t
	}
	path, name := split(function)
	t := packageTraits[path]
	switch {
	case t == 0:
		return traitsElsewhere(path, name)
	case strings.HasPrefix(function, "internal/poll.(*FD)."):
		t |= pollFD
	case strings.HasPrefix(function, "sync.(*WaitGroup).Go."), strings.HasPrefix(function, "internal/singleflight.(*Group).doCall"):
		t |= launches
	case path == "sync" && isAccount(name):
		t |= accounts
	case function == "os/signal.signal_recv": // is the runtime's
		t &^= owns
	}
	if t&means != 0 || path == "reflect" {
		t |= waitTraits[function]
	}
	if t&owns != 0 && isTransfer(name) {
		t |= transfers
	}
	if isSyscall(function, path) {
		t |= outsideGo
	}
	return t
}

// traitsElsewhere returns the traits of a function that is not of the standard library.
func traitsElsewhere(path, name string) Traits {
	if isCgo(path, name) {
		return passes | cgo
	}
	path, ok := extended(path)
	if !ok {
		return 0
	}
	t := passes
	switch {
	case owners[path] && isTransfer(name):
		t |= owns | transfers
	case owners[path]:
		t |= owns
	case strings.HasPrefix(path, "golang.org/x/sys/") && isSyscall(name, "syscall"):
		t |= outsideGo
	case path == "golang.org/x/sync/errgroup", path == "golang.org/x/sync/singleflight":
		t |= launchTraits(name)
	}
	return t
}

// isAccount tells the functions of package sync with which launchers keep count of their
// goroutines and of the first error.
func isAccount(name string) bool {
	return name == ".(*WaitGroup).Done" || name == ".(*WaitGroup).Add" || strings.HasPrefix(name, ".(*Once).")
}

// launchTraits tells a function with which a package of golang.org/x/sync starts
// goroutines for whatever it was given, or what it defers in one. All that such a
// goroutine does is to call what was given, so that is its entry.
func launchTraits(name string) Traits {
	for _, prefix := range [...]string{".(*Group).Go.", ".(*Group).TryGo.", ".(*Group).done", ".(*Group).doCall"} {
		if strings.HasPrefix(name, prefix) {
			return launches
		}
	}
	return 0
}

// isCgo tells the functions that cgo generates: around a call to a C function
// (_Cfunc_name, _C2func_name where the error is asked for), an evaluation of a macro
// (_Cmacro_name), and a call from C (_cgoexp_hash_name, whose package is not in its name).
func isCgo(path, name string) bool {
	if name = strings.TrimPrefix(name, "."); name == "" {
		name = path
	}
	if name == "" || name[0] != '_' {
		return false
	}
	for _, prefix := range [...]string{"_Cfunc_", "_C2func_", "_Cmacro_", "_cgoexp"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// extended returns the path of a package that only passes a wait on, without the folder
// in which it is vendored. It returns false for any other.
//
//	golang.org/x/net/http2                  ->  golang.org/x/net/http2
//	app/vendor/golang.org/x/sync/semaphore  ->  golang.org/x/sync/semaphore
//	golang.org/x/crypto/ssh                 ->  none
func extended(path string) (string, bool) {
	x := strings.Index(path, "/x/")
	if x < 0 {
		return "", false
	}
	folder, ok := strings.CutSuffix(path[:x], "golang.org")
	if !ok || folder != "" && folder != "vendor/" && !strings.HasSuffix(folder, "/vendor/") {
		return "", false
	}
	path, rest := path[len(folder):], path[x+len("/x/"):]
	module, _, _ := strings.Cut(rest, "/")
	return path, module == "sys" || module == "net" || module == "sync"
}

// packageTraits holds for every package of the standard library the traits that all of
// its functions have.
var packageTraits = func() map[string]Traits {
	all := make(map[string]Traits)
	for path := range strings.FieldsSeq(standardPackages) {
		all[path] = traitsOfPackage(path)
	}
	return all
}()

func traitsOfPackage(path string) Traits {
	switch {
	case path == "runtime":
		return standard | means | ofRuntime | runtimes
	case strings.HasPrefix(path, "internal/"):
		return standard | means | runtimes
	case path == "sync", path == "time", path == "iter", strings.HasPrefix(path, "runtime/"):
		return standard | means
	case owners[strings.TrimPrefix(path, "vendor/")]:
		return standard | owns
	}
	return standard
}

// owners are the packages that start goroutines for a purpose of their own, or in which
// handlers run. Of a stack without a frame of anybody else, theirs say whose it is.
var owners = map[string]bool{
	"database/sql":                    true,
	"expvar":                          true,
	"log/syslog":                      true,
	"net/http":                        true,
	"net/http/cgi":                    true,
	"net/http/fcgi":                   true,
	"net/http/httptest":               true,
	"net/http/httputil":               true,
	"net/http/internal/http2":         true,
	"net/http/pprof":                  true,
	"net/rpc":                         true,
	"net/rpc/jsonrpc":                 true,
	"net/smtp":                        true,
	"os/exec":                         true,
	"os/signal":                       true,
	"testing":                         true,
	"golang.org/x/net/http2":          true,
	"golang.org/x/net/http3":          true,
	"golang.org/x/net/quic":           true,
	"golang.org/x/net/webdav":         true,
	"golang.org/x/net/websocket":      true,
	"golang.org/x/net/internal/http3": true,
}

// transferWords are what the names of functions begin with, or have in them, that read or
// write for others, or send a request and wait for its answer.
var transferWords = [...]string{"read", "write", "copy", "close", "flush", "peek", "send", "do", "roundTrip"}

// isTransfer tells whether one of the words in the name of a function is in transferWords.
// A word begins with a capital, or an identifier begins with it.
//
//	.(*persistConn).Read, .http2readFrameHeader, .(*conn).readRequest
//	not .(*connReader).startBackground, .newThread
func isTransfer(name string) bool {
	begins := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case begins && strings.HasPrefix(name[i:], "http2"): // as net/http prefixes names
			i += len("http2") - 1
			continue
		case (begins || isUpper(c)) && beginsWithTransfer(name[i:]):
			return true
		}
		begins = c == '.' || c == '*' || c == '('
	}
	return false
}

func beginsWithTransfer(name string) bool {
	for _, word := range transferWords {
		if name[0]|0x20 == word[0] && strings.HasPrefix(name[1:], word[1:]) {
			return len(name) == len(word) || !isLower(name[len(word)])
		}
	}
	return false
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// waitTraits maps each function in which goroutines wait to its state's index in states,
// plus 1.
var waitTraits = func() map[string]Traits {
	all := make(map[string]Traits, len(waits))
	for function, state := range waits {
		all[function] = Traits(slices.Index(states[:], state) + 1)
	}
	return all
}()

func traitsInRuntime(function string) Traits {
	switch function {
	case "runtime.gopark", "runtime.goparkunlock", "runtime.coroswitch":
		return parking
	case "runtime.goexit":
		return goexit | starts
	case "runtime.main", "runtime.doInit", "runtime.doInit1":
		return starts | usersEntry
	case Unstarted:
		return starts | usersEntry | parking
	case "runtime.cgocallback":
		return callbackFromC | usersEntry
	case "runtime.handleAsyncEvent":
		return usersEntry
	}
	return 0
}

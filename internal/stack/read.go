package stack

//go:generate go run ./genstandard

import "strings"

// Activity is what the source itself says of a goroutine, beside its stack. A
// profile says nothing; a trace does, and its stacks are shorter in turn: those
// written when a goroutine blocks leave out the frames of the runtime that the
// profile shows.
type Activity uint8

const (
	// Unknown leaves it to the frames.
	Unknown Activity = iota
	// Waiting is a goroutine that was parked.
	Waiting
	// Executing is a goroutine that runs or is ready to.
	Executing
	// InSyscall is a goroutine in a system call or in C code.
	InSyscall
)

// MaxDepth is the number of frames from which on a stack may have been cut at
// its root: both the goroutine profile and the execution trace stop at 128
// (runtime: maxProfStackDepth, traceStackSize).
const MaxDepth = 128

// Place is what a stack says of where its goroutine stands. Frames are told by
// their index, 0 is the leaf.
type Place struct {
	State  State
	Blamed int
	Entry  int
	// Cut tells that the stack does not show its entry: it is too deep, or whoever
	// started the goroutine for it is not there yet, or no longer.
	Cut bool
}

// Read reads the signature off a stack, leaf first. It returns false for a stack
// without a frame, and for the stacks of the runtime's own goroutines, which
// runtime.NumGoroutine does not count.
//
// Names and paths are taken over as they are, so whoever decodes untrusted input
// passes them through Clean first.
func Read(frames []Frame, activity Activity) (Signature, bool) {
	var known [MaxDepth]Traits // 0 is not yet known, or worth no memory
	at := func(i int) Traits {
		if i >= len(known) {
			return TraitsOf(frames[i].Function)
		}
		if known[i] == 0 {
			known[i] = TraitsOf(frames[i].Function)
		}
		return known[i]
	}
	p, ok := Locate(len(frames), at, activity)
	if !ok {
		return Signature{}, false
	}
	return p.Signature(frames[p.Blamed], frames[p.Entry]), true
}

// Locate does what Read does, for a stack of which only the traits of its n
// functions are at hand.
func Locate(n int, at func(i int) Traits, activity Activity) (Place, bool) {
	p := Place{Cut: n >= MaxDepth}
	n = trimRoot(n, at)
	if n == 0 || (!p.Cut && runtimesOwn(n, at)) {
		return Place{}, false
	}
	n, launched := trimLauncher(n, at)
	p.Cut = p.Cut || !launched
	p.Entry = n - 1
	leaf := at(0)
	switch {
	case leaf&parking != 0, activity == Waiting:
		p.State, p.Blamed = waiting(n, at)
	case activity == InSyscall, activity == Unknown && leaf&outsideGo != 0:
		_, p.Blamed = waiting(n, at)
		p.State = StateSyscall
	default:
		p.State, p.Blamed = StateRunning, p.Entry
	}
	return p, true
}

// Signature returns the signature of a goroutine that stands at p, of which these
// are the frames that p names.
func (p Place) Signature(blamed, entry Frame) Signature {
	s := Signature{State: p.State, Blamed: blamed}
	if p.State == StateRunning {
		s.Blamed.Line = 0
	}
	if !p.Cut {
		s.Entry = shorten(entry.Function)
	}
	s.Blamed.Function = shorten(s.Blamed.Function)
	s.ID = identify(s)
	return s
}

// shorten takes the type arguments out of a function's name. A profile names the
// shapes that the function was compiled for, a trace does not.
//
//	main.Do[go.shape.*example.com/a/b.T_0].func1  ->  main.Do[...].func1
func shorten(function string) string {
	from, to := strings.IndexByte(function, '['), strings.LastIndexByte(function, ']')
	if from < 0 || to < from || function[from:to+1] == "[...]" {
		return function
	}
	return function[:from] + "[...]" + function[to+1:]
}

// trimRoot takes off the frames with which the runtime calls the first function
// of a goroutine, and returns how many remain. A profile shows them and a trace
// does not.
//
//	main.main < runtime.main < runtime.goexit  ->  main.main
func trimRoot(n int, at func(i int) Traits) int {
	if n > 0 && at(n-1)&beginning != 0 {
		n--
	}
	if n > 1 && at(n-1)&beginsMain != 0 {
		n--
	}
	return n
}

// trimLauncher takes off the frame of a library that started the goroutine for a
// function that it was given. It returns false if that function is not there.
//
//	main.work < sync.(*WaitGroup).Go.func1                              ->  main.work
//	sync.(*WaitGroup).Done < sync.(*WaitGroup).Go.func1.1 < ....func1   ->  not there
func trimLauncher(n int, at func(i int) Traits) (rest int, ok bool) {
	switch {
	case at(n-1)&launches == 0:
		return n, true
	case n > 1 && at(n-2)&(launches|means) == 0:
		return n - 1, true
	}
	return n, false
}

// runtimesOwn follows isSystemGoroutine in runtime/traceback.go: a goroutine
// that the runtime started is its own, except while it calls a finalizer or a
// cleanup of the user's.
func runtimesOwn(n int, at func(i int) Traits) bool {
	if root := at(n - 1); root&ofRuntime == 0 || root&usersEntry != 0 {
		return false
	}
	for i := range n {
		if at(i)&runtimes == 0 {
			return false
		}
	}
	return true
}

// waiting returns why a goroutine waits, and the index of the frame to be blamed
// for it: the first that is outside the standard library. Where there is none, as
// in a goroutine that net/http started, it is the first that is more than a means
// of waiting, and at last the root.
//
// The state is the first that a function tells. It looks no further than the means
// of waiting reach: a goroutine that helps the garbage collector is parked too, and
// what stands further up its stack is not why.
func waiting(n int, at func(i int) Traits) (state State, blamed int) {
	state, blamed = StateOther, -1
	told := false
	for i := range n {
		t := at(i)
		next, known := t.wait()
		if !known && t&pollFD != 0 {
			next, known = StateIOWait, true
		}
		told = told || !known && t&means == 0
		if known && !told {
			state = refine(state, next)
		}
		if t&standard == 0 {
			return state, i
		}
		if blamed < 0 && t&means == 0 {
			blamed = i
		}
	}
	if blamed < 0 {
		blamed = n - 1
	}
	return state, blamed
}

// packagePath returns the import path in the name of a function, escapes undone.
//
//	net/http.(*conn).serve                   ->  net/http
//	gopkg.in/yaml%2ev3.Unmarshal             ->  gopkg.in/yaml.v3
//	example.com/a/b.Map[...].func1           ->  example.com/a/b
//	main.Do[go.shape.*example.com/a/b.T_0]   ->  main
func packagePath(function string) string {
	function, _, _ = strings.Cut(function, "[")
	slash := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[slash:], '.')
	if dot < 0 {
		return function
	}
	path := function[:slash+dot]
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	return unescape(path)
}

// unescape undoes the linker's escapes in an import path, %xx for a byte that
// may not stand in a symbol name (cmd/internal/objabi.PathToPrefix).
func unescape(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if hi, lo := hexDigit(path[i+1]), hexDigit(path[i+2]); hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func hexDigit(c byte) int {
	return strings.IndexByte("0123456789abcdef", c)
}

// isStandard tells whether a package belongs to the standard library. The list
// is that of the Go version that generated it; what internal/, runtime/ and
// vendor/ hold changes between versions, and no module can have such a path.
func isStandard(path string) bool {
	for _, prefix := range [...]string{"internal/", "runtime/", "vendor/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	_, ok := standardPackages[path]
	return ok
}

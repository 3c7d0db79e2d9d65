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

// Read reads the signature off a stack, leaf first. It returns false for a
// stack without a frame, and for the stacks of the runtime's own goroutines,
// which runtime.NumGoroutine does not count.
//
// Names and paths are taken over as they are, so whoever decodes untrusted input
// passes them through Clean first.
func Read(frames []Frame, activity Activity) (Signature, bool) {
	deep := len(frames) >= MaxDepth
	frames = trimRoot(frames)
	if len(frames) == 0 || (!deep && runtimesOwn(frames)) {
		return Signature{}, false
	}
	root := frames[len(frames)-1]
	s := Signature{State: stateOf(frames, activity), Entry: root.Function}
	if deep {
		s.Entry = ""
	}
	if s.State == StateRunning {
		s.Blamed = Frame{Function: root.Function, File: root.File}
	} else {
		s.Blamed = blame(frames)
	}
	s.Blamed.Function, s.Entry = shorten(s.Blamed.Function), shorten(s.Entry)
	s.ID = identify(s)
	return s, true
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
// of a goroutine. A profile shows them and a trace does not.
//
//	main.main < runtime.main < runtime.goexit  ->  main.main
func trimRoot(frames []Frame) []Frame {
	frames = trimLast(frames, "runtime.goexit")
	if trimmed := trimLast(frames, "runtime.main"); len(trimmed) > 0 {
		return trimmed
	}
	return frames
}

func trimLast(frames []Frame, function string) []Frame {
	if n := len(frames); n > 0 && frames[n-1].Function == function {
		return frames[:n-1]
	}
	return frames
}

// runtimesOwn follows isSystemGoroutine in runtime/traceback.go: a goroutine
// that the runtime started is its own, except while it calls a finalizer or a
// cleanup of the user's.
func runtimesOwn(frames []Frame) bool {
	root := frames[len(frames)-1].Function
	if packagePath(root) != "runtime" {
		return false
	}
	switch root {
	case "runtime.main", "runtime.handleAsyncEvent", "runtime.corostart":
		return false
	}
	for _, f := range frames {
		if p := packagePath(f.Function); p != "runtime" && !strings.HasPrefix(p, "internal/") {
			return false
		}
	}
	return true
}

// blame returns the first frame from the leaf that is outside the standard
// library. Where there is none, as in a goroutine that net/http started, it
// returns the first that is more than a means of waiting, and at last the root.
func blame(frames []Frame) Frame {
	for _, f := range frames {
		if !isStandard(packagePath(f.Function)) {
			return f
		}
	}
	for _, f := range frames {
		if !isMeansOfWaiting(packagePath(f.Function)) {
			return f
		}
	}
	return frames[len(frames)-1]
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

func isMeansOfWaiting(path string) bool {
	switch path {
	case "runtime", "sync", "time":
		return true
	}
	return strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "runtime/")
}

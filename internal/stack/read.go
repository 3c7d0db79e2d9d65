package stack

//go:generate go run ./genstandard

// Activity is what a goroutine does according to its source. A profile does not say. A trace
// does; in turn the stacks that it has of blocking goroutines lack the runtime's frames, which
// a profile has.
type Activity uint8

const (
	// Unknown means that the frames decide.
	Unknown Activity = iota
	// Waiting is a goroutine that was parked.
	Waiting
	// Executing is a goroutine that runs or is ready to run.
	Executing
	// InSyscall is a goroutine in a system call or in C code.
	InSyscall
)

// MaxDepth is the number of frames from which a stack may be truncated at its root: goroutine
// profile and execution trace both stop at 128 (maxProfStackDepth and traceStackSize in
// package runtime).
const MaxDepth = 128

// Place is the classification of a stack. Frames are given by index, 0 is the leaf.
type Place struct {
	State  State
	Blamed int
	Entry  int
	// Cut reports that the stack does not show its entry: it is too deep, or the launcher
	// of the goroutine has not called the entry yet or has returned from it.
	Cut bool
	// FromC is Signature.FromC.
	FromC bool
}

// Read returns the signature of a stack, leaf first. It returns false for an empty stack and
// for the runtime's own goroutines, which runtime.NumGoroutine does not count.
//
// Read copies names and paths unchanged. Decoders of untrusted input must pass them through
// Clean first.
func Read(frames []Frame, activity Activity) (Signature, bool) {
	var known [MaxDepth]Traits // 0 if not computed yet
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

// Locate classifies a stack of n functions, given their traits.
func Locate(n int, at func(i int) Traits, activity Activity) (Place, bool) {
	p := Place{Cut: n >= MaxDepth}
	if n > 0 && at(n-1)&traitGoexit != 0 {
		n--
	}
	if n == 0 || (!p.Cut && isSystemGoroutine(n, at)) {
		return Place{}, false
	}
	p.FromC = at(n-1)&traitCallback != 0
	if entry := findEntry(n, at); entry >= 0 {
		n = entry + 1
	} else {
		p.Cut = true
	}
	p.Entry = n - 1
	leaf := at(0)
	switch {
	case leaf&traitParking != 0, activity == Waiting:
		p.State, p.Blamed = classifyWait(n, at)
	case activity == InSyscall, activity == Unknown && leaf&traitSyscall != 0:
		_, p.Blamed = classifyWait(n, at)
		p.State = StateSyscall
	default:
		p.State, p.Blamed = StateRunning, p.Entry
	}
	return p, true
}

// Signature returns the signature of a goroutine at p, given the frames at p.Blamed and
// p.Entry.
func (p Place) Signature(blamed, entry Frame) Signature {
	s := Signature{State: p.State, Blamed: blamed, FromC: p.FromC}
	switch {
	case p.State == StateRunning:
		s.Blamed.Line = 0
	case blamed.Function == Unstarted:
		s.Blamed = Frame{Function: Unstarted} // a trace shows no more
	}
	if !p.Cut {
		s.Entry, s.EntryFile = displayName(entry.Function), entry.File
	}
	s.Blamed.Function = displayName(s.Blamed.Function)
	s.ID = identify(s)
	return s
}

// TrimRoot removes the frames below the entry: those of the runtime, or of a library that
// started the goroutine. A stack that does not show its entry is returned unchanged.
func TrimRoot(frames []Frame) []Frame {
	if entry := findEntry(len(frames), func(i int) Traits { return TraitsOf(frames[i].Function) }); entry >= 0 {
		return frames[:entry+1]
	}
	return frames
}

// findEntry returns the index of the entry of a stack, or -1 if the stack does not show it. A
// profile has more of the frames below it than a trace.
//
//	main.main < runtime.main                                            ->  main.main
//	main.init.0 < runtime.doInit1 < runtime.doInit < runtime.main       ->  main.init.0
//	main.f < iter.Pull[...].func1 < runtime.corostart                   ->  iter.Pull[...].func1
//	main.work < sync.(*WaitGroup).Go.func1                              ->  main.work
//	sync.(*WaitGroup).Wait < sync.(*WaitGroup).Go.func1                 ->  sync.(*WaitGroup).Wait
//	sync.(*WaitGroup).Done < sync.(*WaitGroup).Go.func1.1 < ....func1   ->  not shown
//	main.f < main.export < _cgoexp_0123456789ab_export <
//	runtime.cgocallbackg1 < runtime.cgocallbackg < runtime.cgocallback  ->  main.export
func findEntry(n int, at func(i int) Traits) int {
	i := n - 1
	if i >= 0 && at(i)&traitCallback != 0 {
		for i >= 0 && at(i)&(traitRuntime|traitCgo) != 0 {
			i--
		}
		return i
	}
	for i >= 0 && at(i)&traitStarter != 0 {
		i--
	}
	if i < 0 || at(i)&traitLauncher == 0 {
		return i
	}
	for i >= 0 && at(i)&traitLauncher != 0 {
		i--
	}
	if i >= 0 && at(i)&(traitRuntimeInternal|traitBookkeeping) != 0 {
		return -1 // bookkeeping of the launcher
	}
	return i
}

// isSystemGoroutine follows isSystemGoroutine in runtime/traceback.go: a goroutine that the
// runtime started is its own, except while it calls a finalizer or cleanup of the user.
func isSystemGoroutine(n int, at func(i int) Traits) bool {
	if root := at(n - 1); root&traitRuntime == 0 || root&traitUserEntry != 0 {
		return false
	}
	for i := range n {
		if at(i)&traitRuntimeInternal == 0 {
			return false
		}
	}
	return true
}

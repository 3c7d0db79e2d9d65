package stack

//go:generate go run ./genstandard

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
	// FromC is Signature.FromC.
	FromC bool
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
	if n > 0 && at(n-1)&goexit != 0 {
		n--
	}
	if n == 0 || (!p.Cut && runtimesOwn(n, at)) {
		return Place{}, false
	}
	p.FromC = at(n-1)&callbackFromC != 0
	if entry := findEntry(n, at); entry >= 0 {
		n = entry + 1
	} else {
		p.Cut = true
	}
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
	s := Signature{State: p.State, Blamed: blamed, FromC: p.FromC}
	switch {
	case p.State == StateRunning:
		s.Blamed.Line = 0
	case blamed.Function == Unstarted:
		s.Blamed = Frame{Function: Unstarted} // a trace shows no more
	}
	if !p.Cut {
		s.Entry, s.EntryFile = shown(entry.Function), entry.File
	}
	s.Blamed.Function = shown(s.Blamed.Function)
	s.ID = identify(s)
	return s
}

// TrimRoot returns the frames up to the entry, without those of whatever called it: the
// runtime, or a library that started the goroutine. A stack that does not show its entry
// is returned as it is.
func TrimRoot(frames []Frame) []Frame {
	if entry := findEntry(len(frames), func(i int) Traits { return TraitsOf(frames[i].Function) }); entry >= 0 {
		return frames[:entry+1]
	}
	return frames
}

// findEntry returns the index of the entry of a stack, or -1 if the stack does not show
// it. A profile shows more of the frames below it than a trace does.
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
	if i >= 0 && at(i)&callbackFromC != 0 {
		for i >= 0 && at(i)&(ofRuntime|cgo) != 0 {
			i--
		}
		return i
	}
	for i >= 0 && at(i)&starts != 0 {
		i--
	}
	if i < 0 || at(i)&launches == 0 {
		return i
	}
	for i >= 0 && at(i)&launches != 0 {
		i--
	}
	if i >= 0 && at(i)&(runtimes|accounts) != 0 {
		return -1 // the launcher does something of its own
	}
	return i
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

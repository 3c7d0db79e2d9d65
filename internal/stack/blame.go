package stack

// classifyWait returns why a goroutine waits, and the index of the frame to blame: the first
// that is neither in the standard library nor in a package that only passes a wait on, or else
// that of the owner.
//
// The state comes from the first functions that have one, and only from the wait mechanism at
// the leaf: a goroutine that assists the garbage collector is parked too, for a reason that
// has nothing to do with the callers.
func classifyWait(n int, at func(i int) Traits) (state State, blamed int) {
	state = StateOther
	told := false
	var o owner
	for i := range n {
		t := at(i)
		next, known := t.state()
		if !known && t&traitPollFD != 0 {
			next, known = StateIOWait, true
		}
		told = told || !known && t&traitMechanism == 0
		if known && !told {
			state = refine(state, next)
		}
		if t&(traitStandard|traitPassThrough) == 0 {
			return state, i
		}
		o.observe(i, t)
	}
	return state, o.blamed(n)
}

// owner finds the frame to blame in a stack without code that a user can fix: the code that
// owns the goroutine, not the plumbing through which it reads and writes.
//
//	net.(*netFD).Read < net.(*conn).Read < net/http.(*persistConn).Read <
//	bufio.(*Reader).Peek < net/http.(*persistConn).readLoop                ->  readLoop
//	net.(*TCPListener).Accept < net/http.(*Server).Serve < net/http.Serve  ->  (*Server).Serve
//	net/http.(*persistConn).roundTrip < net/http.(*Transport).roundTrip <
//	net/http/httputil.(*ReverseProxy).ServeHTTP < net/http.(*conn).serve   ->  (*ReverseProxy).ServeHTTP
//	net.(*Dialer).DialContext < net.(*sysDialer).dialParallel.func1        ->  dialParallel.func1
//
// All fields are indexes plus 1; 0 means none.
type owner struct {
	// nearest is the first frame in a package that owns goroutines, transfers excepted, and
	// outermost the last frame in such a package.
	nearest, outermost int
	// last is the last frame that is not a wait mechanism.
	last int
}

// observe adds the next frame from the leaf.
func (o *owner) observe(i int, t Traits) {
	if t&traitMechanism == 0 {
		o.last = i + 1
	}
	if t&traitOwner == 0 {
		return
	}
	o.outermost = i + 1
	if o.nearest == 0 && t&traitTransfer == 0 {
		o.nearest = i + 1
	}
}

// blamed returns the index of the frame to blame in a stack of n frames.
func (o *owner) blamed(n int) int {
	for _, frame := range [...]int{o.nearest, o.outermost, o.last} {
		if frame > 0 {
			return frame - 1
		}
	}
	return n - 1
}

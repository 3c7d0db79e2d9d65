package stack

// waiting returns why a goroutine waits, and the index of the frame to be blamed for it:
// the first that is neither of the standard library nor of what only passes a wait on.
// Where there is none, the owner is blamed.
//
// The state is the first that a function tells. It looks no further than the means
// of waiting reach: a goroutine that helps the garbage collector is parked too, and
// what stands further up its stack is not why.
func waiting(n int, at func(i int) Traits) (state State, blamed int) {
	state = StateOther
	told := false
	var o owner
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
		if t&(standard|passes) == 0 {
			return state, i
		}
		o.see(i, t, state)
	}
	return state, o.blamed(n)
}

// owner finds the frame to be blamed in a stack without a frame that somebody can mend:
// whose goroutine it is, and not the plumbing through which that one reads and writes.
//
//	net.(*netFD).Read < net.(*conn).Read < net/http.(*persistConn).Read <
//	bufio.(*Reader).Peek < net/http.(*persistConn).readLoop               ->  readLoop
//	net.(*TCPListener).Accept < net/http.(*Server).Serve < net/http.Serve  ->  Serve of the Server
//	net/http.(*persistConn).roundTrip < ... < httputil.(*ReverseProxy).ServeHTTP <
//	net/http.serverHandler.ServeHTTP < net/http.(*conn).serve              ->  roundTrip
//
// All frames are indexes plus 1; 0 is none.
type owner struct {
	// direct is the frame of a package that starts goroutines, if such a one itself waits
	// for another goroutine: no plumbing lies between.
	direct int
	// nearest is the first frame of such a package that does more than read and write,
	// and outermost the last of any of its frames.
	nearest, outermost int
	// first tells whether a frame came that is more than a means of waiting, and last is
	// the last such frame.
	first bool
	last  int
}

// see takes in the next frame from the leaf, and the state that is known by then.
func (o *owner) see(i int, t Traits, state State) {
	if t&means != 0 {
		return
	}
	if !o.first && t&owns != 0 && state.forGoroutine() {
		o.direct = i + 1
	}
	o.first, o.last = true, i+1
	if t&owns == 0 {
		return
	}
	o.outermost = i + 1
	if o.nearest == 0 && t&transfers == 0 {
		o.nearest = i + 1
	}
}

// blamed returns the index of the frame to be blamed in a stack of n frames.
func (o *owner) blamed(n int) int {
	for _, frame := range [...]int{o.direct, o.nearest, o.outermost, o.last} {
		if frame > 0 {
			return frame - 1
		}
	}
	return n - 1
}

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
		o.see(i, t)
	}
	return state, o.blamed(n)
}

// owner finds the frame to be blamed in a stack without a frame that somebody can mend:
// whose goroutine it is, and not the plumbing through which that one reads and writes.
//
//	net.(*netFD).Read < net.(*conn).Read < net/http.(*persistConn).Read <
//	bufio.(*Reader).Peek < net/http.(*persistConn).readLoop                ->  readLoop
//	net.(*TCPListener).Accept < net/http.(*Server).Serve < net/http.Serve  ->  (*Server).Serve
//	net/http.(*persistConn).roundTrip < net/http.(*Transport).roundTrip <
//	net/http/httputil.(*ReverseProxy).ServeHTTP < net/http.(*conn).serve   ->  (*ReverseProxy).ServeHTTP
//	net.(*Dialer).DialContext < net.(*sysDialer).dialParallel.func1        ->  dialParallel.func1
//
// All frames are indexes plus 1; 0 is none.
type owner struct {
	// nearest is the first frame of a package that owns goroutines which does more than
	// transfer, and outermost the last of any of its frames.
	nearest, outermost int
	// last is the last frame that is more than a means of waiting.
	last int
}

// see takes in the next frame from the leaf.
func (o *owner) see(i int, t Traits) {
	if t&means == 0 {
		o.last = i + 1
	}
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
	for _, frame := range [...]int{o.nearest, o.outermost, o.last} {
		if frame > 0 {
			return frame - 1
		}
	}
	return n - 1
}

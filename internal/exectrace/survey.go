package exectrace

// The trace reader builds whatever a trace asks for, and compares what all
// threads did until one of them can be believed. So all is counted before it
// sees a byte.
const (
	// maxEvents is four events for each of a million goroutines. More than
	// that takes the trace reader more than a second.
	maxEvents = 4 << 20
	// maxActive is the most goroutines that may have done anything. Those
	// that only wait are not among them. The trace reader and this package
	// need up to 200 bytes for each, 40 MB in all. A process of a million
	// connections that each wake once in ten seconds has half as many in the
	// second that its trace takes.
	maxActive = 200_000
	// maxFrames is the most frames of all stacks together: 8,000 different
	// stacks of 32 frames. The trace reader needs up to 120 bytes for one, 30
	// MB in all.
	maxFrames = 1 << 18
	// maxStrings is a name and a path for each of 65,536 functions, which is
	// what a program of 30 MB has.
	maxStrings = 1 << 17
	// maxComparisons bounds the events that the trace reader sees, times the
	// threads that they happened on. For each event it may have to ask every
	// thread whether its next event can be believed, which takes 23 ns: three
	// seconds in all. This admits 64 threads with two million events.
	maxComparisons = 1 << 27
)

// survey is what must be known of a trace before the trace reader sees it.
type survey struct {
	// highest is the highest goroutine ID.
	highest uint64
	// events is the number of events.
	events int
	// telling is how many of them say more than that a goroutine waits.
	telling int
	// size is how many bytes those are.
	size int
	// active holds the goroutines of which an event tells more than a
	// status.
	active map[uint64]struct{}
	// waiting is how many statuses say that a goroutine waits.
	waiting int
}

// survey reads every event and table entry once.
func (g *generations) survey() (*survey, error) {
	s := &survey{active: make(map[uint64]struct{})}
	for _, b := range g.earlier {
		if err := s.walk(b.data); err != nil {
			return nil, err
		}
	}
	// What was active in an earlier generation may wait all through the last.
	clear(s.active)
	s.waiting, s.telling, s.size = 0, 0, 0
	threads := make(map[uint64]struct{})
	for _, b := range g.last {
		if b.kind != events {
			continue
		}
		threads[b.thread] = struct{}{}
		if err := s.walk(b.data); err != nil {
			return nil, err
		}
	}
	if int64(s.telling)*int64(len(threads)) > maxComparisons {
		return nil, tooLarge(maxComparisons, "events times threads")
	}
	return s, countTables(g.last)
}

// walk reads the events of a batch.
func (s *survey) walk(data []byte) error {
	var e event
	for at := 0; at < len(data); at = e.end {
		if !readEvent(data, at, &e) {
			return malformed("an event that is cut or unknown")
		}
		s.count(&e, e.end-at)
	}
	switch {
	case s.events > maxEvents:
		return tooLarge(maxEvents, "events")
	case len(s.active) > maxActive:
		return tooLarge(maxActive, "active goroutines")
	}
	return nil
}

func (s *survey) count(e *event, size int) {
	s.events++
	if e.use == dropped {
		return
	}
	if e.use == status && e.arguments[2] == goWaiting {
		s.waiting++
		s.highest = max(s.highest, e.arguments[0])
		return
	}
	s.telling++
	s.size += size
	if e.use != kept {
		s.highest = max(s.highest, e.arguments[0])
		s.active[e.arguments[0]] = struct{}{}
	}
}

// countTables counts what the tables hold.
func countTables(batches []batch) error {
	frames, strings := 0, 0
	for _, b := range batches {
		var ok bool
		switch b.kind {
		case stackTable:
			frames, ok = countFrames(b.data, frames)
		case stringTable:
			strings, ok = countStrings(b.data, strings)
		default:
			continue
		}
		switch {
		case !ok:
			return malformed("a table that is cut or damaged")
		case frames > maxFrames:
			return tooLarge(maxFrames, "frames")
		case strings > maxStrings:
			return tooLarge(maxStrings, "strings")
		}
	}
	return nil
}

// countFrames adds the frames in a table of stacks to n. Each entry is its type,
// its ID, how many frames it has, and four varints for each.
func countFrames(data []byte, n int) (int, bool) {
	for at := 1; at < len(data); {
		if data[at] != evStack {
			return n, false
		}
		var depth uint64
		var ok bool
		if _, at, ok = uvarint(data, at+1); !ok {
			return n, false
		}
		if depth, at, ok = uvarint(data, at); !ok || depth > uint64(len(data)) {
			return n, false
		}
		for range 4 * depth {
			if _, at, ok = uvarint(data, at); !ok {
				return n, false
			}
		}
		n += int(depth) + 1 // an empty stack costs something too
	}
	return n, true
}

// countStrings adds the entries of a table of strings to n. Each is its type, its
// ID, its length and its bytes.
func countStrings(data []byte, n int) (int, bool) {
	for at := 1; at < len(data); n++ {
		if data[at] != evString {
			return n, false
		}
		var size uint64
		var ok bool
		if _, at, ok = uvarint(data, at+1); !ok {
			return n, false
		}
		if size, at, ok = uvarint(data, at); !ok || size > uint64(len(data)-at) {
			return n, false
		}
		at += int(size) //nolint:gosec // at most len(data)
	}
	return n, true
}

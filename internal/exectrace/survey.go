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
	// thread whether its next event can be believed, at 23 to 33 ns: half a
	// second in all. This admits 64 threads with a quarter of a million
	// events, and a trace of a millisecond has some ten thousand of them.
	maxComparisons = 1 << 24
	// maxBeside is how many bytes a trace may have beside the goroutines that
	// only wait: what happened, and the tables. It bounds what must be read of
	// a trace that is too large before that is known. The busiest process
	// above has half as many.
	maxBeside = 10 << 20
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
	// status. It is nil if nobody asks for them.
	active map[uint64]struct{}
	// waiting is how many statuses say that a goroutine waits, and
	// waitingSize how many bytes those of the whole trace are.
	waiting, waitingSize int
}

// survey reads every event and table entry of a trace of the given size once. What
// it counts is of the last generation, but for the highest ID and waitingSize.
func (g *generations) survey(size int) (*survey, error) {
	s := &survey{active: make(map[uint64]struct{})}
	for _, b := range g.earlier {
		if err := s.walk(b.data); err != nil {
			return nil, err
		}
		// The trace reader will not see these, and what was active then may
		// wait all through the last generation.
		s.nextGeneration()
	}
	if err := s.walkLast(g.last); err != nil {
		return nil, err
	}
	if err := s.checkSize(size); err != nil {
		return nil, err
	}
	return s, checkTables(g.last)
}

// nextGeneration forgets what was counted of one generation.
func (s *survey) nextGeneration() {
	clear(s.active)
	*s = survey{highest: s.highest, active: s.active, waitingSize: s.waitingSize}
}

// checkSize checks the size of a trace, or of the part of it that was walked over.
func (s *survey) checkSize(size int) error {
	if size-s.waitingSize > maxBeside {
		return tooLarge(maxBeside, "bytes beside the goroutines that wait")
	}
	return nil
}

func (s *survey) walkLast(batches []batch) error {
	threads := make(map[uint64]struct{})
	for _, b := range batches {
		if b.kind != events {
			continue
		}
		threads[b.thread] = struct{}{}
		if err := s.walk(b.data); err != nil {
			return err
		}
	}
	if int64(s.telling)*int64(len(threads)) > maxComparisons {
		return tooLarge(maxComparisons, "events times threads")
	}
	return nil
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
		s.waitingSize += size
		s.highest = max(s.highest, e.arguments[0])
		return
	}
	s.telling++
	s.size += size
	if e.use != kept {
		s.highest = max(s.highest, e.arguments[0])
		if s.active != nil {
			s.active[e.arguments[0]] = struct{}{}
		}
	}
}

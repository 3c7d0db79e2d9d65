package exectrace

// The trace reader allocates whatever a trace asks for, and tries all threads until the next
// event of one is consistent. So everything is counted before it reads a byte.
const (
	// maxEvents is four events for each of a million goroutines. More take the trace reader
	// over a second.
	maxEvents = 4 << 20
	// maxActive is the most goroutines with events, which those that only wait have not. The
	// trace reader and this package need up to 200 bytes for each, 40 MB in all. A process
	// with a million connections that wake once in ten seconds has half as many in the
	// second that its trace takes.
	maxActive = 200_000
	// maxFrames is the most frames of all stacks together: 8,000 different stacks of 32
	// frames. The trace reader needs up to 120 bytes for each, 30 MB in all.
	maxFrames = 1 << 18
	// maxStrings is a name and a path for each of 65,536 functions, as in a program of 30
	// MB.
	maxStrings = 1 << 17
	// maxComparisons limits the number of events for the trace reader times the number of
	// their threads. For each event it may have to check the next event of every thread, at
	// 23 to 33 ns: half a second in all. The limit admits 64 threads with a quarter of a
	// million events; a trace of a millisecond has some ten thousand.
	maxComparisons = 1 << 24
	// maxActiveBytes is the most bytes of a trace without the statuses of waiting
	// goroutines: events and tables. It limits how much is read of a trace that is too
	// large. The busiest process above has half as many.
	maxActiveBytes = 10 << 20
)

// survey counts what a trace has, before the trace reader reads it.
type survey struct {
	// highest is the highest goroutine ID.
	highest uint64
	// events is the number of events.
	events int
	// informative is how many of them say more than that a goroutine waits, and
	// informativeSize their size in bytes.
	informative     int
	informativeSize int
	// active holds the goroutines with other events than a status. It is nil if it is not
	// needed.
	active map[uint64]struct{}
	// waiting is the number of statuses of waiting goroutines, and waitingSize the size of
	// those in the whole trace, in bytes.
	waiting, waitingSize int
}

// survey reads every event and table entry of a trace of the given size once. The result is
// of the last generation, except highest and waitingSize.
func (g *generations) survey(size int) (*survey, error) {
	s := &survey{active: make(map[uint64]struct{})}
	for _, b := range g.earlier {
		if err := s.walk(b.data); err != nil {
			return nil, err
		}
		// The trace reader does not read these, and a goroutine that was active then may
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

// nextGeneration resets the counts of a generation.
func (s *survey) nextGeneration() {
	clear(s.active)
	*s = survey{highest: s.highest, active: s.active, waitingSize: s.waitingSize}
}

// checkSize checks the size of a trace, or of the part that was read.
func (s *survey) checkSize(size int) error {
	if size-s.waitingSize > maxActiveBytes {
		return tooLarge(maxActiveBytes, "bytes besides waiting goroutines")
	}
	return nil
}

func (s *survey) walkLast(batches []batch) error {
	threads := make(map[uint64]struct{})
	for _, b := range batches {
		if b.kind != batchEvents {
			continue
		}
		threads[b.thread] = struct{}{}
		if err := s.walk(b.data); err != nil {
			return err
		}
	}
	if int64(s.informative)*int64(len(threads)) > maxComparisons {
		return tooLarge(maxComparisons, "events times threads")
	}
	return nil
}

// walk counts the events of a batch.
func (s *survey) walk(data []byte) error {
	var e event
	for at := 0; at < len(data); at = e.end {
		if !readEvent(data, at, &e) {
			return malformed("truncated or unknown event")
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
	if e.use == useDropped {
		return
	}
	if e.use == useStatus && e.arguments[2] == goWaiting {
		s.waiting++
		s.waitingSize += size
		s.highest = max(s.highest, e.arguments[0])
		return
	}
	s.informative++
	s.informativeSize += size
	if e.use != useProc {
		s.highest = max(s.highest, e.arguments[0])
		if s.active != nil {
			s.active[e.arguments[0]] = struct{}{}
		}
	}
}

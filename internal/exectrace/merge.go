package exectrace

// merge puts the events of all threads in one generation in the order of their time.
//
// The trace reader orders them by what can have happened (sequence numbers of goroutines
// and processors), since the clocks of processors may differ. By time is enough here, and
// costs less: where two clocks differ by more than a goroutine takes to be started, woken or
// to end, that goroutine is told wrongly, and no other.
type merge struct {
	// threads is a heap: the one whose next event is the earliest is the first.
	threads []*threadEvents
	byID    map[uint64]*threadEvents
}

// threadEvents are the events of a thread.
type threadEvents struct {
	batches []batch
	// at is where the event after next begins in the first of the batches.
	at   int
	next event
	time uint64 // of next, in the clock's units
	// current is the goroutine that runs on the thread, an index; none is -1.
	current int32
}

func newMerge(batches []batch) (*merge, error) {
	m := &merge{byID: make(map[uint64]*threadEvents)}
	for _, b := range batches {
		if b.kind != events {
			continue
		}
		t := m.byID[b.thread]
		if t == nil {
			t = &threadEvents{current: none}
			m.byID[b.thread] = t
			m.threads = append(m.threads, t)
		}
		t.batches = append(t.batches, b)
	}
	if len(m.threads) > maxFollowedThreads {
		return nil, tooLarge(maxFollowedThreads, "threads")
	}
	withEvents := m.threads[:0]
	for _, t := range m.threads {
		t.time = t.batches[0].time
		more, err := t.advance()
		if err != nil {
			return nil, err
		}
		if more {
			withEvents = append(withEvents, t)
		}
	}
	m.threads = withEvents
	for i := len(m.threads)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

const none = -1

// advance reads the next event that matters. It returns false after the last.
func (t *threadEvents) advance() (bool, error) {
	for {
		data := t.batches[0].data
		if t.at == len(data) {
			if t.batches = t.batches[1:]; len(t.batches) == 0 {
				return false, nil
			}
			t.at, t.time = 0, t.batches[0].time
			continue
		}
		if !readEvent(data, t.at, &t.next) {
			return false, malformed("an event that is cut or unknown")
		}
		t.at = t.next.end
		t.time += t.next.elapsed
		if t.next.use != dropped {
			return true, nil
		}
	}
}

// each calls see for every event, with the thread that it is the next of.
func (m *merge) each(see func(t *threadEvents) error) error {
	for len(m.threads) > 0 {
		t := m.threads[0]
		for until := m.second(); t.time <= until; {
			if err := see(t); err != nil {
				return err
			}
			more, err := t.advance()
			if err != nil {
				return err
			}
			if !more {
				last := len(m.threads) - 1
				m.threads[0] = m.threads[last]
				m.threads = m.threads[:last]
				break
			}
		}
		m.down(0)
	}
	return nil
}

// second returns the time of the earliest event of any thread but the first.
func (m *merge) second() uint64 {
	until := ^uint64(0)
	for _, t := range m.threads[1:min(3, len(m.threads))] {
		until = min(until, t.time)
	}
	return until
}

// down puts a thread where it belongs in the heap.
func (m *merge) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(m.threads) {
			return
		}
		if child+1 < len(m.threads) && m.threads[child+1].time < m.threads[child].time {
			child++
		}
		if m.threads[i].time <= m.threads[child].time {
			return
		}
		m.threads[i], m.threads[child] = m.threads[child], m.threads[i]
		i = child
	}
}

package exectrace

// merge orders the events of all threads in one generation by time.
//
// The trace reader orders them by causality (sequence numbers of goroutines and processors),
// since the clocks of processors may differ. Ordering by time costs less and is sufficient
// here: if two clocks differ by more than it takes to start, wake or end a goroutine, only the
// data of that goroutine is wrong.
type merge struct {
	// threads is a min-heap by the time of the next event.
	threads []*threadEvents
	byID    map[uint64]*threadEvents
}

// threadEvents are the events of a thread.
type threadEvents struct {
	batches []batch
	// nextAt is the offset in batches[0] of the event after next.
	nextAt int
	next   event
	time   uint64 // of next, in the clock's units
	// current is the index of the goroutine that runs on the thread, or noIndex.
	current int32
}

func newMerge(batches []batch) (*merge, error) {
	m := &merge{byID: make(map[uint64]*threadEvents)}
	for _, b := range batches {
		if b.kind != batchEvents {
			continue
		}
		t := m.byID[b.thread]
		if t == nil {
			t = &threadEvents{current: noIndex}
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
		m.siftDown(i)
	}
	return m, nil
}

// noIndex means that there is no such goroutine, start, wake-up or group.
const noIndex = -1

// advance reads the next relevant event. It returns false after the last.
func (t *threadEvents) advance() (bool, error) {
	for {
		data := t.batches[0].data
		if t.nextAt == len(data) {
			if t.batches = t.batches[1:]; len(t.batches) == 0 {
				return false, nil
			}
			t.nextAt, t.time = 0, t.batches[0].time
			continue
		}
		if !readEvent(data, t.nextAt, &t.next) {
			return false, malformed("truncated or unknown event")
		}
		t.nextAt = t.next.end
		t.time += t.next.elapsed
		if t.next.use != useDropped {
			return true, nil
		}
	}
}

// forEach calls see for every event, with the thread whose next event it is.
func (m *merge) forEach(see func(t *threadEvents) error) error {
	for len(m.threads) > 0 {
		t := m.threads[0]
		for until := m.runnerUpTime(); t.time <= until; {
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
		m.siftDown(0)
	}
	return nil
}

// runnerUpTime returns the time of the earliest event of any thread except the first.
func (m *merge) runnerUpTime() uint64 {
	until := ^uint64(0)
	for _, t := range m.threads[1:min(3, len(m.threads))] {
		until = min(until, t.time)
	}
	return until
}

// siftDown restores the heap order below thread i.
func (m *merge) siftDown(i int) {
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

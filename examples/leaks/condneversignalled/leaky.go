// Package condneversignalled shows a condition that changes without a signal.
package condneversignalled

import "sync"

// mailboxLeaky is a queue of letters.
type mailboxLeaky struct {
	mu      sync.Mutex
	changed *sync.Cond
	letters []string
	closed  bool
}

func newMailboxLeaky() *mailboxLeaky {
	m := new(mailboxLeaky)
	m.changed = sync.NewCond(&m.mu)
	return m
}

func (m *mailboxLeaky) put(letter string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, letter)
	m.changed.Signal()
}

// close marks the end of the letters.
//
// Mistake: it changes the condition that take waits for without waking it. A
// goroutine that already waits does so forever.
func (m *mailboxLeaky) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}

func (m *mailboxLeaky) take() (letter string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.letters) == 0 && !m.closed {
		m.changed.Wait() // leaks here
	}
	if len(m.letters) == 0 {
		return "", false
	}
	letter, m.letters = m.letters[0], m.letters[1:]
	return letter, true
}

// DeliverLeaky fetches letters and reads each when it arrives.
func DeliverLeaky(fetch func() []string, read func(string)) {
	m := newMailboxLeaky()
	go m.readLeaky(read)
	for _, letter := range fetch() {
		m.put(letter)
	}
	m.close()
}

func (m *mailboxLeaky) readLeaky(read func(string)) {
	for {
		letter, ok := m.take()
		if !ok {
			return
		}
		read(letter)
	}
}

// Package condneversignalled shows a condition that comes true without a word.
package condneversignalled

import "sync"

// mailboxLeaky holds letters until they are read.
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

// close says that no more letters come.
//
// Mistake: it changes what take waits for and wakes nobody. Who waits by
// then waits forever.
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

// DeliverLeaky fetches letters and reads each as it comes.
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

package unboundedhandler

import (
	"net/http"
	"sync"
)

const (
	// senders is how many mails are sent at a time.
	senders = 4
	// waiting is how many mails may wait: what the senders get done in the time
	// that a mail may take.
	waiting = 16
)

// MailerRepaired is MailerLeaky without the leak.
//
// Fix: a bounded pool of workers behind a bounded queue. When the queue is
// full the client is told so, and can come again.
type MailerRepaired struct {
	outbox  chan string
	workers sync.WaitGroup
}

// NewMailerRepaired returns a mailer that sends with send.
func NewMailerRepaired(send func(to string)) *MailerRepaired {
	m := &MailerRepaired{outbox: make(chan string, waiting)}
	for range senders {
		m.workers.Go(func() { m.sendAll(send) })
	}
	return m
}

func (m *MailerRepaired) sendAll(send func(to string)) {
	for to := range m.outbox {
		send(to)
	}
}

// ServeHTTP answers at once, with 503 if there is too much to do.
func (m *MailerRepaired) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case m.outbox <- r.FormValue("to"):
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// Close sends what is in the queue and ends the workers. No request may come in
// any more.
func (m *MailerRepaired) Close() {
	close(m.outbox)
	m.workers.Wait()
}

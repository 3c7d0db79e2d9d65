package unboundedhandler

import (
	"net/http"
	"sync"
)

const (
	// senders is the number of mails sent concurrently.
	senders = 4
	// queueSize is the number of mails that may wait: as many as are sent within an
	// acceptable delay.
	queueSize = 16
)

// MailerRepaired is MailerLeaky without the leak.
//
// Fix: a bounded worker pool with a bounded queue. When the queue is full, the client
// gets an error and can retry.
type MailerRepaired struct {
	outbox  chan string
	workers sync.WaitGroup
}

// NewMailerRepaired returns a mailer that sends with send.
func NewMailerRepaired(send func(to string)) *MailerRepaired {
	m := &MailerRepaired{outbox: make(chan string, queueSize)}
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

// ServeHTTP accepts mail without waiting. It responds with 503 if the queue is full.
func (m *MailerRepaired) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case m.outbox <- r.FormValue("to"):
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// Close sends the queued mails and stops the workers. There must be no further requests.
func (m *MailerRepaired) Close() {
	close(m.outbox)
	m.workers.Wait()
}

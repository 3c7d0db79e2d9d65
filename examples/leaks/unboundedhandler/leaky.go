// Package unboundedhandler shows an HTTP handler that starts a goroutine per request
// without a limit.
package unboundedhandler

import "net/http"

// MailerLeaky accepts requests for mail, and has one goroutine that sends it.
type MailerLeaky struct{ outbox chan string }

// NewMailerLeaky returns a mailer that sends with send.
func NewMailerLeaky(send func(to string)) *MailerLeaky {
	m := &MailerLeaky{outbox: make(chan string)}
	go m.sendAll(send)
	return m
}

func (m *MailerLeaky) sendAll(send func(to string)) {
	for to := range m.outbox {
		send(to)
	}
}

// ServeHTTP accepts mail without waiting for the mail server.
//
// Mistake: the goroutines are an unbounded queue. While mail arrives faster than it is
// sent, each request adds a goroutine, and clients do not notice.
func (m *MailerLeaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	go m.enqueueLeaky(r.FormValue("to"))
	w.WriteHeader(http.StatusAccepted)
}

func (m *MailerLeaky) enqueueLeaky(to string) {
	m.outbox <- to // leaks here
}

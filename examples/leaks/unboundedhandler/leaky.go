// Package unboundedhandler shows an HTTP handler that starts a goroutine a request
// and lets nobody hold it back.
package unboundedhandler

import "net/http"

// MailerLeaky takes requests for mail, and has one goroutine that sends it.
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

// ServeHTTP answers at once, whatever the mail server does.
//
// Mistake: the goroutines are a queue without an end. While mail comes in
// faster than it is sent each request leaves one more, and nobody is told.
func (m *MailerLeaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	go m.enqueueLeaky(r.FormValue("to"))
	w.WriteHeader(http.StatusAccepted)
}

func (m *MailerLeaky) enqueueLeaky(to string) {
	m.outbox <- to // leaks here
}

package unboundedhandler

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

// status makes a request and returns its status.
func status(handler http.Handler) int {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/?to=a@example.com", http.NoBody))
	return recorder.Code
}

func TestLeaky(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	leaktest.Leaks(t, "(*MailerLeaky).enqueueLeaky", "chan send", func() {
		mailer := NewMailerLeaky(func(string) { <-hung })
		status(mailer) // the mail being sent
		if code := status(mailer); code != http.StatusAccepted {
			t.Errorf("status %d", code)
		}
	})
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		sent, hung := 0, make(chan struct{})
		mailer := NewMailerRepaired(func(string) { <-hung })
		for status(mailer) == http.StatusAccepted {
			sent++
		}
		close(hung)
		mailer.Close()
		if sent < queueSize || sent > queueSize+senders {
			t.Errorf("%d were accepted", sent)
		}
	})
}

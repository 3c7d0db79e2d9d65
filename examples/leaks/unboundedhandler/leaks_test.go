package unboundedhandler

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

// status makes one request.
func status(handler http.Handler) int {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/?to=a@example.com", http.NoBody))
	return answer.Code
}

func TestLeaky(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	leaktest.Leaks(t, "(*MailerLeaky).enqueueLeaky", "chan send", func() {
		mailer := NewMailerLeaky(func(string) { <-hung })
		status(mailer) // is being sent
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
		if sent < waiting || sent > waiting+senders {
			t.Errorf("%d were accepted", sent)
		}
	})
}

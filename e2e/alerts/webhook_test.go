package alerts

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// alert is an alert in a notification of Alertmanager.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	at          time.Time         // when the webhook was called
}

const (
	firing   = "firing"
	resolved = "resolved"
)

// webhook records the alerts that Alertmanager sends to it.
type webhook struct {
	*httptest.Server
	mu     sync.Mutex
	alerts []alert
}

func startWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{}
	w.Server = httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) receive(answer http.ResponseWriter, request *http.Request) {
	var notification struct {
		Alerts []alert `json:"alerts"`
	}
	if err := json.NewDecoder(request.Body).Decode(&notification); err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range notification.Alerts {
		a.at = time.Now()
		w.alerts = append(w.alerts, a)
	}
}

// all returns the alerts received so far for which keep returns true, oldest first.
func (w *webhook) all(keep func(alert) bool) []alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.alerts), func(a alert) bool { return !keep(a) })
}

// history returns the notifications about a service with a severity above info, sent by the Prometheus
// with the given label via.
func (w *webhook) history(service, via string) []alert {
	return w.all(func(a alert) bool {
		return a.Labels["service_name"] == service && a.Labels["via"] == via && a.Labels["severity"] != "info"
	})
}

// statuses returns the statuses of notifications.
func statuses(history []alert) []string {
	var all []string
	for _, a := range history {
		all = append(all, a.Status)
	}
	return all
}

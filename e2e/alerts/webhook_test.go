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

// alert is as Alertmanager tells it.
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

// webhook is the pager: it keeps what it was told.
type webhook struct {
	*httptest.Server
	mu   sync.Mutex
	told []alert
}

func startWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{}
	w.Server = httptest.NewServer(http.HandlerFunc(w.take))
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) take(answer http.ResponseWriter, request *http.Request) {
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
		w.told = append(w.told, a)
	}
}

// all returns what was told so far, in order, and is as wanted.
func (w *webhook) all(wanted func(alert) bool) []alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.told), func(a alert) bool { return !wanted(a) })
}

// history returns what was told of the alerts above info of a service, of those that
// came by one way.
func (w *webhook) history(service, via string) []alert {
	return w.all(func(a alert) bool {
		return a.Labels["service_name"] == service && a.Labels["via"] == via && a.Labels["severity"] != "info"
	})
}

// statuses tells firing from resolved.
func statuses(history []alert) []string {
	var all []string
	for _, a := range history {
		all = append(all, a.Status)
	}
	return all
}

package bodynotclosed

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func bank() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/closed", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "come back at nine", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/open", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("1.25"))
	})
	return httptest.NewServer(mux)
}

func TestLeaky(t *testing.T) {
	for _, loop := range []string{"readLoop", "writeLoop"} {
		leaktest.Leaks(t, "(*persistConn)."+loop, "select", func() {
			_, _ = RateLeaky(&http.Client{Transport: new(http.Transport)}, bank().URL+"/closed")
		})
	}
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		server, transport := bank(), new(http.Transport)
		defer server.Close()
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		if _, err := RateRepaired(t.Context(), client, server.URL+"/closed"); err == nil {
			t.Error("no error")
		}
		if rate, err := RateRepaired(t.Context(), client, server.URL+"/open"); err != nil || rate != "1.25" {
			t.Errorf("rate %q, error %v", rate, err)
		}
	})
}

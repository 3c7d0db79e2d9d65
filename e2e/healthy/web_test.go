package healthy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// browser is an HTTP client with connections of its own.
type browser struct {
	client *http.Client
	base   string
}

// browsing returns a client that calls ask repeatedly with a browser, whose connections it closes at the end.
func browsing(name, base string, pause time.Duration, ask func(context.Context, browser) error) client {
	return client{name, func(ctx context.Context) error {
		b := browser{&http.Client{Transport: &http.Transport{}}, base}
		defer b.client.CloseIdleConnections()
		return repeat(ctx, pause, func() error { return ask(ctx, b) })
	}}
}

// get reads the whole response.
func (b browser) get(ctx context.Context, path string) error {
	return b.do(ctx, http.MethodGet, path, "", "")
}

func (b browser) do(ctx context.Context, method, path, kind, body string) error {
	request, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // read to the end
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return nil
}

// asking returns a client that gets one path repeatedly.
func asking(name, base, path string, pause time.Duration) client {
	return browsing(name, base, pause, func(ctx context.Context, b browser) error { return b.get(ctx, path) })
}

// backend starts a server that responds immediately, after a delay, or with a stream of events.
func backend(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		for n := range 200 {
			fmt.Fprintf(w, "shop_orders_total{shop=\"%d\"} %d\n", n, time.Now().UnixMilli())
		}
	})
	mux.HandleFunc("/fast", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) })
	mux.HandleFunc("/poll", func(w http.ResponseWriter, r *http.Request) {
		wait(r.Context(), 2*time.Second)
		_, _ = w.Write([]byte("nothing new"))
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		for wait(r.Context(), 300*time.Millisecond) {
			fmt.Fprint(w, "data: 1\n\n")
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/hook", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// file writes a configuration and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

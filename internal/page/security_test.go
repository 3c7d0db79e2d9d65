package page

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHostAndOriginMustBeAllowed(t *testing.T) {
	h := NewHandler(fixedSite{&Site{}}, Options{}, []string{"leaks.example:8443", "Collector"})
	for _, test := range []struct {
		host, origin, method string
		status               int
	}{
		{"localhost:5325", "", http.MethodGet, 200},
		{"localhost", "", http.MethodGet, 200},
		{"127.0.0.1:5325", "", http.MethodGet, 200},
		{"127.8.0.1", "", http.MethodHead, 200},
		{"[::1]:5325", "http://[::1]:5325", http.MethodGet, 200},
		{"[::ffff:127.0.0.1]:1", "", http.MethodGet, 200},
		{"LEAKS.example:8443", "https://leaks.example:8443", http.MethodGet, 200},
		{"leaks.example:8444", "", http.MethodGet, 421},
		{"leaks.example", "", http.MethodGet, 421},
		{"collector:5325", "", http.MethodGet, 200},
		{"rebound.evil.example", "", http.MethodGet, 421},
		{"127.0.0.1.evil.example", "", http.MethodGet, 421},
		{"localhost.evil.example:5325", "", http.MethodGet, 421},
		{"10.0.0.5:5325", "", http.MethodGet, 421},
		{"", "", http.MethodGet, 421},
		{"localhost:5325", "https://evil.example", http.MethodGet, 403},
		{"localhost:5325", "null", http.MethodGet, 403},
		{"localhost:5325", "file://localhost", http.MethodGet, 403},
		{"localhost:5325", "http://localhost:5325", http.MethodGet, 200},
		{"localhost:5325", "", http.MethodPost, 405},
		{"localhost:5325", "http://localhost:5325", http.MethodDelete, 405},
	} {
		for _, path := range []string{"/", "/api/findings", pageAssets().Script} {
			r := httptest.NewRequest(test.method, path, http.NoBody)
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != test.status {
				t.Errorf("%s %s of %q from %q: %d, want %d", test.method, path, test.host, test.origin, w.Code, test.status)
			}
			policy := w.Header().Get("Content-Security-Policy")
			if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: policy %q", path, policy)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s can be read by other origins", path)
			}
		}
	}
}

// TestRejectionIsPlainText requests a host whose name is markup, which the response quotes.
func TestRejectionIsPlainText(t *testing.T) {
	h := NewHandler(fixedSite{&Site{}}, Options{}, nil)
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Host = "<script>\x00" + strings.Repeat("x", 1<<16)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || w.Body.Len() > 300 {
		t.Errorf("%s of %d bytes", kind, w.Body.Len())
	}
}

func TestGzip(t *testing.T) {
	m, end := shop(t)
	h := NewHandler(fixedSite{m.Site(end)}, Options{}, nil)
	for accept, compressed := range map[string]bool{"gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "br": false, "": false} {
		r := httptest.NewRequest(http.MethodGet, "/services", http.NoBody)
		r.Host = "localhost"
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var body io.Reader = w.Body
		if (w.Header().Get("Content-Encoding") == "gzip") != compressed {
			t.Errorf("%q: %q", accept, w.Header().Get("Content-Encoding"))
		}
		if compressed {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if data, err := io.ReadAll(body); err != nil || !strings.HasSuffix(string(data), "</html>\n") {
			t.Errorf("%q: %d bytes, %v", accept, len(data), err)
		}
	}
}

func TestNotFound(t *testing.T) {
	h := NewHandler(fixedSite{&Site{}}, Options{}, nil)
	for _, path := range []string{"/findings/x", "/findings/x/markdown", "/services/x", "/api/findings/x", "/assets/page.css", "/assets/%2e%2e", "/favicon.ico", "/api"} {
		if w := get(t, h, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

package page

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shop returns an Aggregator after a day of pagetest.Shop, and the end of that day. The
// Aggregator is shared and must not be modified.
func shop(t testing.TB) (*Aggregator, time.Time) {
	t.Helper()
	return sharedShop()
}

var sharedShop = sync.OnceValues(func() (*Aggregator, time.Time) {
	a := NewAggregator(Config{})
	return a, pagetest.Shop(a)
})

// fixedSite is a Provider whose Site never changes.
type fixedSite struct{ site *Site }

func (f fixedSite) Site(time.Time) *Site   { return f.site }
func (fixedSite) Changed() <-chan struct{} { return nil }

// get requests a page as a browser on the same machine does.
func get(t testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.Host = "localhost:5325"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestGolden compares all responses about the shop with golden files. Review the files after
// -update.
func TestGolden(t *testing.T) {
	m, end := shop(t)
	h := NewHandler(fixedSite{m.Site(end)}, Options{}, nil)
	for name, path := range map[string]string{
		"list.html": "/", "list-filtered.html": "/?q=audit&severity=confirmed", "list-empty.html": "/?status=closed",
		"finding.html": "/findings/3e0e28e30f2a7cd8", "finding-entry.html": "/findings/07aa19be55d2c3f4",
		"services.html": "/services", "service.html": "/services/" + serviceIDOf(m, end, "shop"),
		"finding.md": "/findings/3e0e28e30f2a7cd8/markdown", "finding.json": "/api/findings/3e0e28e30f2a7cd8?version=1.8.2",
		"findings.json": "/api/findings", "services.json": "/api/services", "schema.json": "/api/schema.json", "missing.html": "/nowhere",
	} {
		t.Run(name, func(t *testing.T) { compareGolden(t, name, get(t, h, path).Body.Bytes()) })
	}
	t.Run("file.html", func(t *testing.T) {
		var b bytes.Buffer
		site := *m.Site(end)
		site.Findings = site.Findings[1:2]
		if err := WriteFile(&b, &site, Options{Title: "10.0.0.5:6060"}, "Probable: 1 leak after 10 s."); err != nil {
			t.Fatal(err)
		}
		compareGolden(t, "file.html", b.Bytes())
	})
}

func serviceIDOf(m *Aggregator, at time.Time, name string) string {
	for _, s := range m.Site(at).Services {
		if s.Service.Name == name {
			return serviceID(s.Service)
		}
	}
	return ""
}

// Hashes of assets and the style sheet are left out of golden files; make page-check tests them in
// a browser.
var (
	assetHash = regexp.MustCompile(`(/assets/[a-z]+)-[0-9a-f]{12}\.`)
	styles    = regexp.MustCompile(`(?s)(style-src )[^"]*("|&#39;")|<style>.*</style>`)
)

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = styles.ReplaceAll(assetHash.ReplaceAll(got, []byte("$1.")), nil)
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

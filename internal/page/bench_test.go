package page

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
)

// fleet plays 500 findings of 10,000 instances in 100 services, each with 26 groups of goroutines
// besides its leaks.
func fleet(hours time.Duration, step time.Duration) (*Aggregator, time.Time) {
	m := NewAggregator(Config{})
	return m, pagetest.Play(m, pagetest.Fleet(100, 100, 5, 20), hours, step)
}

// maxMiB is the documented limit for 10,000 instances after a day, including a rendered page.
const maxMiB = 64

// BenchmarkMemory measures the memory of 10,000 instances after a day, in MiB.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		m, end := fleet(24*time.Hour, 2*time.Hour)
		b.ReportMetric(heap()-before, "MiB")
		data, err := m.MarshalBinary()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(data))/(1<<20), "MiB/state")
		site := m.Site(end)
		if len(site.Findings) != 500 || len(site.Services) != 100 {
			b.Fatalf("%d findings in %d services", len(site.Findings), len(site.Services))
		}
		shown := heap() - before
		b.ReportMetric(shown, "MiB/shown")
		if shown > maxMiB {
			b.Errorf("%.1f MiB, want at most %d", shown, maxMiB)
		}
		runtime.KeepAlive(m)
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc) / (1 << 20)
}

// BenchmarkShow measures the time to render the pages of 500 findings of 10,000 instances, and
// their compressed size in bytes.
func BenchmarkShow(b *testing.B) {
	m, end := fleet(10*time.Hour, 2*time.Hour)
	b.Run("site", func(b *testing.B) {
		for b.Loop() {
			m.stale, m.siteAt = true, time.Time{}
			m.Site(end)
		}
	})
	site := m.Site(end)
	h := NewHandler(fixedSite{site}, Options{}, nil)
	for name, path := range map[string]string{
		"list": "/", "finding": "/findings/" + site.Findings[0].ID, "services": "/services",
		"service": links{}.service(site.Services[0].Service), "filtered": "/?q=handler3+service-07",
	} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
				r.Host = "localhost"
				r.Header.Set("Accept-Encoding", "gzip")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}

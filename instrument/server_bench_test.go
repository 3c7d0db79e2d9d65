package instrument

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// The load on the server.
const (
	idleGoroutines = 10_000
	clients        = 8
	// window is how long the server is sampled, or not, before it is the
	// other's turn: long enough for five samples.
	window = 5 * time.Second
	rounds = 6
)

// BenchmarkServer loads a server that has 10,000 idle goroutines, and compares the
// times of its requests while it is sampled every second, 60 times as often as by
// default, with those while it is not. The two take turns.
func BenchmarkServer(b *testing.B) {
	end := park(idleGoroutines)
	defer end()
	server := httptest.NewServer(http.HandlerFunc(digest))
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = clients

	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	var sampled, unsampled []time.Duration
	load(b, client, server.URL, window) // warm up
	for b.Loop() {
		for range rounds {
			stop, err := Start(WithMeterProvider(provider), WithInterval(time.Second), WithOverheadBudget(1))
			if err != nil {
				b.Fatal(err)
			}
			sampled = append(sampled, load(b, client, server.URL, window)...)
			if err := stop(context.Background()); err != nil {
				b.Fatal(err)
			}
			unsampled = append(unsampled, load(b, client, server.URL, window)...)
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, p := range []struct {
		share float64
		name  string
	}{{0.5, "p50"}, {0.99, "p99"}, {0.999, "p99.9"}} {
		with, without := quantile(sampled, p.share), quantile(unsampled, p.share)
		b.ReportMetric(float64(with)/float64(without), p.name+"-ratio")
		b.ReportMetric(float64(without.Microseconds()), p.name+"-µs-unsampled")
	}
	b.ReportMetric(float64(len(sampled))/(float64(b.N)*rounds*window.Seconds()), "requests/s")
}

// digest does what a small request does.
func digest(w http.ResponseWriter, _ *http.Request) {
	sum := sha256.Sum256(make([]byte, 16<<10))
	_, _ = io.WriteString(w, hex.EncodeToString(sum[:]))
}

// load has all clients ask for as long as d, and returns how long each request took.
func load(b *testing.B, client *http.Client, url string, d time.Duration) (took []time.Duration) {
	b.Helper()
	deadline := time.Now().Add(d)
	all := make([][]time.Duration, clients)
	var asking sync.WaitGroup
	for i := range clients {
		asking.Add(1)
		go func() {
			defer asking.Done()
			for began := time.Now(); began.Before(deadline); began = time.Now() {
				response, err := client.Get(url)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				all[i] = append(all[i], time.Since(began))
			}
		}()
	}
	asking.Wait()
	return slices.Concat(all...)
}

func quantile(times []time.Duration, share float64) time.Duration {
	slices.Sort(times)
	return times[int(share*float64(len(times)-1))]
}

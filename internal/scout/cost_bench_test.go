//go:build unix

package scout

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/trace"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkByteOfATrace measures what a byte of a trace costs the process that writes it, and
// what becomes of the latency of requests: a server each of whose requests starts a goroutine,
// and its clients, at some 4,000 requests a second.
func BenchmarkByteOfATrace(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		answer := make(chan int)
		go func() { answer <- 1 }()
		<-answer
	}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	var plain, traced time.Duration
	var plainWaits, tracedWaits []time.Duration
	var size counted
	for b.Loop() {
		plain += cpuOf(b, func() { plainWaits = append(plainWaits, askALot(b, client, server.URL)...) })
		if err := trace.Start(&size); err != nil {
			b.Fatal(err)
		}
		traced += cpuOf(b, func() { tracedWaits = append(tracedWaits, askALot(b, client, server.URL)...) })
		trace.Stop()
	}
	b.ReportMetric(quantile(plainWaits, 0.99).Seconds()*1000, "ms-p99")
	b.ReportMetric(quantile(tracedWaits, 0.99).Seconds()*1000, "ms-p99-traced")
	b.ReportMetric(float64(quantile(tracedWaits, 0.5))/float64(quantile(plainWaits, 0.5)), "p50-ratio")
	b.ReportMetric(float64(traced-plain)/float64(size), "ns/byte")
	b.ReportMetric(float64(size)/float64(b.N*requests), "bytes/request")
	b.ReportMetric(float64(plain)/float64(b.N*requests)/1000, "µs/request")
}

const (
	requests = 4000
	clients  = 8
	pause    = 2 * time.Millisecond
)

// askALot sends requests for a second, and returns how long each has taken.
func askALot(b *testing.B, client *http.Client, url string) []time.Duration {
	b.Helper()
	var asking sync.WaitGroup
	waits := make([]time.Duration, requests)
	for i := range clients {
		asking.Add(1)
		go func() {
			defer asking.Done()
			due := time.NewTicker(pause)
			defer due.Stop()
			for n := i; n < requests; n += clients {
				<-due.C
				began := time.Now()
				response, err := client.Get(url)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				waits[n] = time.Since(began)
			}
		}()
	}
	asking.Wait()
	return waits
}

func quantile(waits []time.Duration, share float64) time.Duration {
	slices.Sort(waits)
	return waits[int(share*float64(len(waits)-1))]
}

// counted counts what is written.
type counted int

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

// cpuOf returns the CPU time that this process spends while f runs.
func cpuOf(b *testing.B, f func()) time.Duration {
	b.Helper()
	before := cpu(b)
	f()
	return cpu(b) - before
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

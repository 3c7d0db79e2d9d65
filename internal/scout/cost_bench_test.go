//go:build unix

package scout

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/trace"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkByteOfATrace measures what a byte of a trace costs the process that writes it: a
// server each of whose requests starts a goroutine, and its clients.
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
	var size counted
	for b.Loop() {
		plain += cpuOf(b, func() { askALot(b, client, server.URL) })
		if err := trace.Start(&size); err != nil {
			b.Fatal(err)
		}
		traced += cpuOf(b, func() { askALot(b, client, server.URL) })
		trace.Stop()
	}
	b.ReportMetric(float64(traced-plain)/float64(size), "ns/byte")
	b.ReportMetric(float64(size)/float64(b.N*requests), "bytes/request")
	b.ReportMetric(float64(plain)/float64(b.N*requests)/1000, "µs/request")
}

const requests = 16_000

func askALot(b *testing.B, client *http.Client, url string) {
	b.Helper()
	var asking sync.WaitGroup
	for range 16 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			for range requests / 16 {
				response, err := client.Get(url)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		}()
	}
	asking.Wait()
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

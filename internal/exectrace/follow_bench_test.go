package exectrace

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/trace"
	"sync"
	"testing"
	"time"

	exptrace "golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// loadedSize is the size of the loaded server's trace, in bytes.
const loadedSize = 9_200_000

// limitedBuffer is a buffer that closes enough once it has size bytes.
type limitedBuffer struct {
	bytes.Buffer
	size   int
	enough chan struct{}
	once   sync.Once
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) >= b.size {
		b.once.Do(func() { close(b.enough) })
	}
	return b.Buffer.Write(p)
}

// recordLoaded returns a trace of about size bytes of a server under load. Each request starts
// a goroutine and waits for its answer.
func recordLoaded(b testing.TB, size int) []byte {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		answer := make(chan int)
		go func() { answer <- 1 }()
		<-answer
	}))
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	client.Timeout = time.Minute
	end := make(chan struct{})
	var clients sync.WaitGroup
	for range 16 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for {
				select {
				case <-end:
					return
				default:
				}
				response, err := client.Get(server.URL)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		}()
	}
	traced := &limitedBuffer{size: size, enough: make(chan struct{})}
	if err := trace.Start(traced); err != nil {
		b.Fatal(err)
	}
	<-traced.enough
	trace.Stop()
	close(end)
	clients.Wait()
	client.CloseIdleConnections()
	return traced.Bytes()
}

// groupsOfLoaded returns the groups of the trace of a loaded server.
func groupsOfLoaded(b testing.TB, data []byte) []stack.Signature {
	b.Helper()
	s, err := Decode(data)
	if err != nil {
		b.Skip(err)
	}
	var asked []stack.Signature
	for _, g := range s.Groups {
		asked = append(asked, g.Signature)
	}
	return asked
}

// followAll reads a trace to its end with a Follower.
func followAll(data []byte, asked []stack.Signature) (*Follower, error) {
	f, err := Follow(bytes.NewReader(data), asked)
	for err == nil {
		err = f.Next()
	}
	if !errors.Is(err, io.EOF) {
		return f, err
	}
	return f, nil
}

// BenchmarkLoaded reads births, wake-ups, ends and the snapshot from the trace of a loaded
// server, and compares with the trace reader, which only reads the events.
func BenchmarkLoaded(b *testing.B) {
	data := recordLoaded(b, loadedSize)
	asked := groupsOfLoaded(b, data)
	b.Run("Follow", func(b *testing.B) {
		benchmarkLoaded(b, data, func() error {
			f, err := followAll(data, asked)
			if err != nil {
				return err
			}
			f.Origins(nil)
			_, err = f.Snapshot()
			return err
		})
	})
	b.Run("TraceReader", func(b *testing.B) {
		benchmarkLoaded(b, data, func() error {
			r, err := exptrace.NewReader(bytes.NewReader(data))
			for err == nil {
				_, err = r.ReadEvent()
			}
			if !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		})
	})
}

func benchmarkLoaded(b *testing.B, data []byte, read func() error) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if err := read(); err != nil {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(len(data))/1e6, "MB")
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/op")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MiB-allocated/op")
}

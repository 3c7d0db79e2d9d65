package exectrace

import (
	"bytes"
	"runtime"
	"runtime/trace"
	"sync"
	"testing"

	exptrace "golang.org/x/exp/trace"
)

// startParked starts n goroutines that wait on 20 different stacks. end ends them.
func startParked(n int) (end func()) {
	done := make(chan struct{})
	var started, ended sync.WaitGroup
	for i := range n {
		started.Add(1)
		ended.Add(1)
		go func() {
			defer ended.Done()
			descend(i%20, &started, done)
		}()
	}
	started.Wait()
	return func() {
		close(done)
		ended.Wait()
	}
}

// descend waits below depth more frames.
//
//go:noinline
func descend(depth int, started *sync.WaitGroup, done chan struct{}) {
	if depth > 0 {
		descend(depth-1, started, done)
		return
	}
	started.Done()
	<-done
}

// recordTrace records a trace that ends at once, after running goroutines had time to block.
func recordTrace(t testing.TB) []byte {
	t.Helper()
	for range 100 {
		runtime.Gosched()
	}
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		t.Fatal(err)
	}
	trace.Stop()
	return b.Bytes()
}

// BenchmarkDecode100k decodes a trace of 100,000 goroutines that wait on 20 stacks.
func BenchmarkDecode100k(b *testing.B) {
	benchmarkTrace(b, func(data []byte) error {
		_, err := Decode(data)
		return err
	})
}

// BenchmarkTraceReader100k reads the events of the same trace with the trace reader, and
// ignores them.
func BenchmarkTraceReader100k(b *testing.B) {
	benchmarkTrace(b, func(data []byte) error {
		r, err := exptrace.NewReader(bytes.NewReader(data))
		for err == nil {
			_, err = r.ReadEvent()
		}
		return nil
	})
}

// BenchmarkDecodeSmall decodes the trace of a small service: 200 goroutines, most of them idle.
func BenchmarkDecodeSmall(b *testing.B) {
	data := fixtures(b)["go1.26"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkTrace(b *testing.B, decode func([]byte) error) {
	const n = 100_000
	end := startParked(n)
	data := recordTrace(b)
	end()
	s, err := Decode(data)
	if err != nil {
		b.Fatal(err)
	}
	if s.Count() < n || s.Stackless > n/1000 {
		b.Fatalf("%d goroutines, %d without a stack", s.Count(), s.Stackless)
	}
	var before, after runtime.MemStats
	b.ReportAllocs()
	b.ResetTimer()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if err := decode(data); err != nil {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	goroutines := float64(b.N) * float64(s.Count())
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/goroutines, "ns/goroutine")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/goroutines, "allocs/goroutine")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/float64(len(data)), "B/body-byte")
	b.ReportMetric(float64(len(data))/float64(s.Count()), "body-B/goroutine")
}

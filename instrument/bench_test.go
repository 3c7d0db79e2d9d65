package instrument

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
)

// park starts n goroutines that wait on 20 different stacks, as those of a service
// that do the same have come different ways.
func park(n int) (end func()) {
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

//go:noinline
func descend(depth int, started *sync.WaitGroup, done chan struct{}) {
	if depth > 0 {
		descend(depth-1, started, done)
		return
	}
	started.Done()
	<-done
}

// processTime returns the CPU time of the process, in which the work of the garbage
// collector is, too, and which other processes distort less than the time of day.
func processTime() time.Duration {
	user, system, _ := cpuTime()
	return user + system
}

// work is one of those that are compared.
type work struct {
	cpu, allocs float64
	do          func()
}

// run does the work n times. What is left over of another's garbage is collected
// first, or the collector would go on with it at the cost of this one.
func (w *work) run(n int) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := processTime()
	for range n {
		w.do()
	}
	w.cpu += float64(processTime() - began)
	runtime.ReadMemStats(&after)
	w.allocs += float64(after.Mallocs - before.Mallocs)
}

// heap returns what a small service has in its heap. Without it the collector would
// come every other sample, as the runtime lets a heap of less than 4 MiB grow to
// that, and what is compared would be how often it does.
func heap() []byte { return make([]byte, 32<<20) }

// turn is how many times running each does its work: enough for the collector to
// come in between some five times, so that one time more or less, by chance, does
// not tell.
func turn(goroutines int) int { return max(24, 100_000/goroutines) }

// BenchmarkSample compares one sample (capture, decode, census) with one of the
// goroutine profile, parsed by github.com/google/pprof and grouped by stack, and
// with an execution trace that nobody reads, which is the least that a sample can
// cost. All three take turns.
func BenchmarkSample(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			end := park(n)
			defer end()
			defer runtime.KeepAlive(heap())
			works := map[string]*work{
				"sample":  {do: sampleOnce(b, n)},
				"profile": {do: profileOnce(b)},
				"bare":    {do: traceOnce(b)},
			}
			for _, w := range works {
				w.do()
			}
			for b.Loop() {
				for _, w := range works {
					w.run(turn(n))
				}
			}
			ours, theirs, bare := works["sample"], works["profile"], works["bare"]
			b.ReportMetric(0, "ns/op") // of all three together: of no use
			b.ReportMetric(ours.cpu/theirs.cpu, "cpu-of-profile")
			b.ReportMetric(ours.allocs/theirs.allocs, "allocs-of-profile")
			b.ReportMetric(ours.cpu/bare.cpu, "cpu-of-bare-trace")
			b.ReportMetric(ours.cpu/float64(b.N*turn(n))/1e3, "µs/sample")
		})
	}
}

func sampleOnce(b *testing.B, atLeast int) func() {
	s := newTestSampler(defaultConfig(), newCapturer(CaptureTrace).capture)
	return func() {
		if err := s.measure(b.Context()); err != nil || s.fresh().sum() < int64(atLeast) {
			b.Fatal(err)
		}
	}
}

// sum is the number of goroutines in a sample.
func (s *sample) sum() (n int64) {
	for _, r := range s.groups {
		n += r.count
	}
	return n
}

func profileOnce(b *testing.B) func() {
	return func() {
		var body bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&body, 0); err != nil {
			b.Fatal(err)
		}
		p, err := profile.Parse(&body)
		if err != nil {
			b.Fatal(err)
		}
		groups := make(map[string]int64)
		var key []byte
		for _, s := range p.Sample {
			key = key[:0]
			for _, l := range s.Location {
				for _, line := range l.Line {
					key = fmt.Appendf(key, "%s:%d\n", line.Function.Name, line.Line)
				}
			}
			groups[string(key)] += s.Value[0]
		}
	}
}

func traceOnce(b *testing.B) func() {
	return func() {
		if err := trace.Start(io.Discard); err != nil {
			b.Fatal(err)
		}
		trace.Stop()
	}
}

// BenchmarkMemory measures how many bytes of the heap a sample takes for each goroutine,
// as if nothing were freed before it ends: what runtime/trace allocates itself, beyond
// what it does without these goroutines; and the trace with all that decoding and census
// allocate. It also measures what is left afterwards, which is the list of the census.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			traceAlone := traceOnce(b)
			traceAlone()
			fixed := allocated(traceAlone)
			end := park(n)
			defer end()
			c := census.NewOwn(time.Minute, 200)
			base := live()
			var most, body, runtimes uint64
			for b.Loop() {
				runtimes = max(runtimes, allocated(traceAlone)-fixed)
				trace := newBody(runtime.NumGoroutine())
				traceInto(b, trace)
				live() // nothing is left in a sync.Pool
				most = max(most, uint64(trace.Cap())+allocated(func() { observe(b, c, trace.Bytes()) }))
				body = uint64(trace.Len())
			}
			left := live() - base
			runtime.KeepAlive(c)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(body)/float64(n), "B-trace/goroutine")
			b.ReportMetric(float64(runtimes)/float64(n), "B-runtime/goroutine")
			b.ReportMetric(float64(most)/float64(n), "B-sampling/goroutine")
			b.ReportMetric(float64(runtimes+most)/float64(n), "B-in-all/goroutine")
			b.ReportMetric(float64(left)/float64(n), "B-afterwards/goroutine")
		})
	}
}

func traceInto(b *testing.B, body *body) {
	b.Helper()
	if err := trace.Start(body); err != nil {
		b.Fatal(err)
	}
	trace.Stop()
}

func observe(b *testing.B, c *census.Census, body []byte) {
	b.Helper()
	s, err := exectrace.Decode(body)
	if err != nil {
		b.Fatal(err)
	}
	c.Observe(s, time.Now())
}

// live returns the bytes of the heap that live. It collects twice, as what a
// sync.Pool holds outlives the first time.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// allocated returns how many bytes something allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// BenchmarkTracing measures how long tracing is occupied by a sample, which is how long
// others get an error: the shortest of all, as a machine that is shared holds up others.
// The runtime visits the goroutines that have ended too, so it must come before
// benchmarks of more goroutines.
func BenchmarkTracing(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			end := park(n)
			defer end()
			body := newBody(n)
			shortest := time.Hour
			for b.Loop() {
				body.Reset()
				began := time.Now()
				traceInto(b, body)
				shortest = min(shortest, time.Since(began))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(shortest.Microseconds())/1e3, "ms-occupied")
		})
	}
}

// BenchmarkPause tells the longest time for which the world is stopped by a sample,
// and by a trace that nobody reads. A machine that is shared stops threads by itself,
// and with them the stopping of the world: hence the 99th percentile.
func BenchmarkPause(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			end := park(n)
			defer end()
			sample, bare := sampleOnce(b, n), traceOnce(b)
			var ofSample, ofBare pauseTimes
			for b.Loop() {
				ofSample.during(sample)
				ofBare.during(bare)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ofSample.share(1)/1e3, "µs-longest")
			b.ReportMetric(ofSample.share(0.99)/1e3, "µs-p99")
			b.ReportMetric(ofBare.share(1)/1e3, "µs-longest-of-bare-trace")
			b.ReportMetric(ofBare.share(0.99)/1e3, "µs-p99-of-bare-trace")
		})
	}
}

// pauseTimes are the times for which the world was stopped for other reasons than
// the garbage collector's: how often, by the upper bound of the time, in seconds.
type pauseTimes map[float64]uint64

// during takes in the pauses while something is done.
func (p *pauseTimes) during(do func()) {
	before := pauses()
	do()
	after := pauses()
	if *p == nil {
		*p = make(pauseTimes)
	}
	for i, n := range after.Counts {
		if n -= before.Counts[i]; n > 0 {
			(*p)[after.Buckets[i+1]] += n
		}
	}
}

func pauses() *metrics.Float64Histogram {
	read := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(read)
	return read[0].Value.Float64Histogram()
}

// share returns the time, in nanoseconds, that such a share of the pauses did not
// exceed.
func (p pauseTimes) share(share float64) float64 {
	var all, below uint64
	for _, n := range p {
		all += n
	}
	for _, seconds := range slices.Sorted(maps.Keys(p)) {
		if below += p[seconds]; float64(below) >= share*float64(all) {
			return seconds * 1e9
		}
	}
	return 0
}

// BenchmarkIdle tells what share of one core sampling takes at the defaults, of a
// process with 1,000 goroutines that does nothing else.
func BenchmarkIdle(b *testing.B) {
	end := park(1000)
	defer end()
	defer runtime.KeepAlive(heap())
	sample := sampleOnce(b, 1000)
	sample()
	began := processTime()
	for b.Loop() {
		sample()
	}
	perSample := float64(processTime()-began) / float64(b.N)
	b.ReportMetric(perSample/float64(defaultConfig().Interval), "cores")
}

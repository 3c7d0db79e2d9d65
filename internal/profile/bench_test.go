//go:build unix

package profile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"testing"
	"time"
)

var benchmarkSizes = []int{30, 500, 5000}

// BenchmarkDecode decodes gzipped profiles with this package, and with
// github.com/google/pprof and the same grouping, by number of distinct stacks.
func BenchmarkDecode(b *testing.B) {
	for _, who := range []struct {
		name   string
		decode func([]byte) error
	}{
		{"ours", ours},
		{"peer", peers},
	} {
		for _, n := range benchmarkSizes {
			b.Run(fmt.Sprintf("%s/%d", who.name, n), func(b *testing.B) {
				data := gzipped(b, service(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := who.decode(data); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func ours(data []byte) error {
	_, err := Decode(data, plenty)
	return err
}

func peers(data []byte) error {
	_, _, err := peerDecode(data, func(name string) string { return name })
	return err
}

// BenchmarkRatio compares both by the CPU time of the process, which includes garbage
// collection and depends less on other processes than elapsed time does. It reports the
// peer's time and allocations divided by ours, the share of compress/gzip in our time, and
// how many times faster than the peer gzip alone would be.
//
// The profiles are of a synthetic service in which nearly every stack has its own signature,
// and of this process with stacks that share a few signatures.
func BenchmarkRatio(b *testing.B) {
	for _, n := range benchmarkSizes {
		b.Run("synthetic/"+strconv.Itoa(n), func(b *testing.B) {
			compare(b, gzipped(b, service(n)), n)
		})
		b.Run("live/"+strconv.Itoa(n), func(b *testing.B) {
			compare(b, liveProfile(b, n), n)
		})
	}
}

func compare(b *testing.B, data []byte, n int) {
	b.Helper()
	reader := new(gzip.Reader)
	var own, peer, gunzip float64
	for b.Loop() {
		runs := 1 + 10_000/n
		own += cpuTime(func() { _ = ours(data) }, runs)
		peer += cpuTime(func() { _ = peers(data) }, runs)
		gunzip += cpuTime(func() { decompress(data, reader) }, runs)
	}
	b.ReportMetric(0, "ns/op") // the sum of all three is meaningless
	b.ReportMetric(own/float64(b.N)/1e3, "ours-µs")
	b.ReportMetric(peer/float64(b.N)/1e3, "peer-µs")
	b.ReportMetric(peer/own, "times-faster")
	b.ReportMetric(testing.AllocsPerRun(5, func() { _ = peers(data) })/testing.AllocsPerRun(5, func() { _ = ours(data) }), "times-fewer-allocs")
	b.ReportMetric(100*gunzip/own, "gunzip-%")
	b.ReportMetric(peer/gunzip, "times-at-most")
}

// cpuTime returns the CPU time, in nanoseconds, that one of n runs of f takes.
func cpuTime(f func(), n int) float64 {
	begin := processTime()
	for range n {
		f()
	}
	return float64(processTime()-begin) / float64(n)
}

func processTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func decompress(data []byte, into *gzip.Reader) {
	_ = into.Reset(bytes.NewReader(data))
	_, _ = io.Copy(io.Discard, into)
}

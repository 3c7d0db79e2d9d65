//go:build unix

package profile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

var benchmarkSizes = []int{30, 500, 5000}

// BenchmarkDecode decodes gzipped profiles of services with so many distinct
// stacks: ours, and github.com/google/pprof with the same grouping.
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

// BenchmarkRatio compares the two in turn, by the CPU time of the process, with
// that of the garbage collector in it, which other processes do not distort. Beside
// how many times the peer's time and allocations are ours, it reports how much of
// our time is compress/gzip and stack.Read, which both of them need, and so how
// many times faster anything could be that needs them.
func BenchmarkRatio(b *testing.B) {
	for _, n := range benchmarkSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data := gzipped(b, service(n))
			stacks := stacksOf(b, data)
			run := []func(){
				func() { _ = ours(data) },
				func() { _ = peers(data) },
				func() { decompress(data) },
				func() {
					for _, frames := range stacks {
						stack.Read(frames, stack.Unknown)
					}
				},
			}
			var took [4]float64
			for b.Loop() {
				for i, f := range run {
					took[i] += cpuTime(f, 1+10_000/n)
				}
			}
			b.ReportMetric(0, "ns/op") // of all four together: of no use
			b.ReportMetric(took[0]/float64(b.N)/1e3, "ours-µs")
			b.ReportMetric(took[1]/float64(b.N)/1e3, "peer-µs")
			b.ReportMetric(took[1]/took[0], "times-faster")
			b.ReportMetric(took[1]/(took[2]+took[3]), "times-at-most")
			b.ReportMetric(testing.AllocsPerRun(5, run[1])/testing.AllocsPerRun(5, run[0]), "times-fewer-allocs")
			b.ReportMetric(100*took[2]/took[0], "gunzip-%")
			b.ReportMetric(100*took[3]/took[0], "read-%")
		})
	}
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

var gunzipper gzip.Reader

func decompress(data []byte) {
	_ = gunzipper.Reset(bytes.NewReader(data))
	_, _ = io.Copy(io.Discard, &gunzipper)
}

// stacksOf returns the stacks of a profile, each string its own, as in Decode.
func stacksOf(b *testing.B, data []byte) [][]stack.Frame {
	p, err := profile.ParseData(data)
	if err != nil {
		b.Fatal(err)
	}
	var stacks [][]stack.Frame
	for _, s := range p.Sample {
		var frames []stack.Frame
		for _, l := range s.Location {
			for _, line := range l.Line {
				frames = append(frames, stack.Frame{Function: strings.Clone(line.Function.Name), Line: int(line.Line)})
			}
		}
		stacks = append(stacks, frames)
	}
	return stacks
}

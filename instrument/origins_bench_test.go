package instrument

import (
	"sync"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
)

// BenchmarkOriginsIdle measures what WithOrigins adds to a sample of goroutines that do not
// gather.
func BenchmarkOriginsIdle(b *testing.B) {
	c := defaultConfig()
	WithOrigins().apply(&c)
	defer park(10_000)()
	s := newTestSampler(c, takeTrace)
	snapshot, err := takeTrace()
	if err != nil {
		b.Fatal(err)
	}
	report := s.census.Observe(snapshot, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		if _, due := s.origins.next(); due {
			b.Fatal("a trace is due")
		}
		s.origins.look(&report, time.Now())
	}
}

// BenchmarkOriginsTrace measures the CPU time of a trace as for origins, beside that of the
// same work untraced. They take turns. It is compared with what internal/scout pays for it.
func BenchmarkOriginsTrace(b *testing.B) {
	for _, load := range []struct {
		name       string
		goroutines int
		births     int // a second
	}{{"1000-goroutines/100-births", 1000, 100}, {"1000-goroutines/4000-births", 1000, 4000}, {"10000-goroutines/1000-births", 10_000, 1000}} {
		b.Run(load.name, func(b *testing.B) {
			defer park(load.goroutines)()
			kept := heap()
			c := defaultConfig()
			WithOrigins().apply(&c)
			o := newOriginTracer(c)
			plan := &scout.Plan{Duration: scout.DefaultDuration}
			var traced, untraced, reading time.Duration
			size := 0
			for b.Loop() {
				end := startBirths(load.births)
				before := processTime()
				time.Sleep(plan.Duration)
				between := processTime()
				result := scout.Result{}
				if _, err := o.follow(b.Context(), plan, &result); err != nil {
					b.Fatal(err)
				}
				traced += processTime() - between
				untraced += between - before
				size, reading = size+result.Size, reading+result.Reading
				end()
			}
			n := float64(b.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric((traced-untraced).Seconds()*1e3/n, "CPU-ms/trace")
			b.ReportMetric(reading.Seconds()*1e3/n, "reading-ms/trace")
			b.ReportMetric(float64(size)/1e3/n, "KB/trace")
			_ = kept
		})
	}
}

// startBirths starts so many goroutines a second, each woken by another, until end is called.
func startBirths(perSecond int) (end func()) {
	closing := make(chan struct{})
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-closing:
				return
			case <-ticker.C:
				for range perSecond / 100 {
					reply := make(chan struct{})
					go func() { <-reply }()
					close(reply)
				}
			}
		}
	}()
	return func() {
		close(closing)
		all.Wait()
	}
}

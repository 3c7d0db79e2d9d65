// Command held measures the accuracy of the memory in a finding. It leaks goroutines of a known size in its own
// process, while other goroutines allocate and the garbage collector runs, and passes the metrics to a Tracker.
//
//	go -C bench run ./held
package main

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func main() {
	fmt.Printf("%10s %12s %12s %14s %20s\n", "held", "estimate", "error", "to the limit", "predicted, half-way")
	for _, held := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		f := measureUnderLoad(held)
		fmt.Printf("%10d %12.0f %11.0f%% %10.0f min %10.0f min\n", held, f.estimate, 100*(f.estimate/f.truth-1), f.left, f.predicted)
	}
}

// figures has the true and the estimated bytes per goroutine, and the true and the predicted minutes from half-way
// until the memory limit.
type figures struct{ truth, estimate, left, predicted float64 }

// A leak is watched for minutes of data, each of which takes one cycle of the garbage collector. The memory limit
// is the mean use in the last of them, since the garbage collector makes a single one noisy.
const minutes, last = 200, 20

// perMinute returns the number of goroutines to leak. It is higher for small ones, whose memory only matters then.
func perMinute(held int) int { return max(1, min(100, 256<<10/held)) }

// measureUnderLoad measures while other goroutines allocate. What the garbage collector misses meanwhile depends on
// the load of the machine.
func measureUnderLoad(held int) figures {
	end := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { churn(end) })
	}
	defer all.Wait()
	defer close(end)
	return measure(held, awaitCollection)
}

// measure leaks, and calls collect for each minute of data.
func measure(held int, collect func()) figures {
	runtime.GC()
	end := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(end)

	limit := 0.0
	records := make([][]finding.Point, minutes)
	start := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	for minute := range records {
		var allocated sync.WaitGroup
		for range perMinute(held) {
			allocated.Add(1)
			all.Go(func() { leak(held, allocated.Done, end) })
		}
		allocated.Wait()
		collect()
		at := start.Add(time.Duration(minute) * time.Minute)
		var used float64
		records[minute], used = observe(at, start, (minute+1)*perMinute(held), perMinute(held)*60)
		if minute >= minutes-last {
			limit += used / last
		}
	}
	tracker := finding.NewTracker(finding.Config{MemoryLimit: int64(limit)})
	var halfway finding.Finding
	for minute, points := range records {
		for _, p := range points {
			tracker.Observe(p)
		}
		tracker.Advance(points[0].At)
		if minute == minutes/2 {
			halfway = tracker.Findings()[0]
		}
	}
	return figures{
		truth:     float64(held) + 2<<10,
		estimate:  tracker.Findings()[0].Memory.PerGoroutine,
		left:      minutes/2 - last/2,
		predicted: halfway.Limit.In.Minutes(),
	}
}

// awaitCollection waits until the garbage collector has run, which updates its goal. In a real process it runs at
// least every two minutes.
func awaitCollection() {
	cycles := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(cycles)
	for before := cycles[0].Value.Uint64(); cycles[0].Value.Uint64() == before; metrics.Read(cycles) {
		time.Sleep(100 * time.Microsecond)
	}
}

// leak allocates memory, calls allocated, and holds the memory until end is closed.
func leak(held int, allocated func(), end <-chan struct{}) {
	memory := make([]byte, held)
	allocated()
	<-end
	runtime.KeepAlive(memory)
}

// churn allocates garbage, as a service does.
func churn(end <-chan struct{}) {
	for {
		select {
		case <-end:
			return
		default:
		}
		garbage := make([][]byte, 0, 64)
		for i := range 64 {
			garbage = append(garbage, make([]byte, 1<<10+64*i))
		}
		runtime.KeepAlive(garbage)
		time.Sleep(100 * time.Microsecond)
	}
}

// observe returns the metrics of the processor and of contrib's runtime for this process, and its peak memory until
// the next run of the garbage collector.
func observe(at, start time.Time, leaked, perHour int) ([]finding.Point, float64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/gc/heap/goal:bytes"},
		{Name: "/gc/gogc:percent"},
	}
	metrics.Read(samples)
	stack, goal, percent := samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()
	resource := attributes("service.name", "shop", "service.instance.id", "a")
	place := attributes(telemetry.AttrLeakID, "3e0e28e30f2a7cd8", telemetry.AttrState, "chan_receive", telemetry.AttrFunction, "main.leak")
	points := []finding.Point{
		{Metric: telemetry.GoroutineCount, Value: float64(runtime.NumGoroutine())},
		{Metric: "go.memory.used", Attributes: attributes("go.memory.type", "stack"), Value: float64(stack)},
		{Metric: "go.memory.gc.goal", Value: float64(goal)},
		{Metric: "go.config.gogc", Value: float64(percent)},
		{Metric: telemetry.LeakSeverity, Attributes: place, Value: 2},
		{Metric: telemetry.LeakCount, Attributes: place, Value: float64(leaked)},
		{Metric: telemetry.LeakGrowthRate, Attributes: place, Value: float64(perHour)},
		{Metric: telemetry.LeakStartTime, Attributes: place, Value: float64(start.Unix())},
	}
	for i := range points {
		points[i].At, points[i].Resource = at, resource
	}
	return points, float64(stack + goal)
}

func attributes(pairs ...string) finding.Attributes {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// Command held measures how right it is what a finding says of memory: it leaks goroutines
// in its own process, each of which holds so much, while other goroutines allocate and the
// garbage collector runs, and has a book told of it.
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
	fmt.Printf("%10s %12s %12s %14s %14s\n", "held", "told, each", "error", "to the limit", "told, half-way")
	for _, held := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		f := measure(held)
		fmt.Printf("%10d %12.0f %11.0f%% %10.0f min %10.0f min\n", held, f.estimate, 100*(f.estimate/f.truth-1), f.left, f.predicted)
	}
}

// figures are what was told, and what was true: bytes a goroutine, and minutes until the
// process used as much as in the end, half-way there.
type figures struct{ truth, estimate, left, predicted float64 }

// A leak is watched for 200 minutes of data, which are cycles of the garbage collector here. Of small ones more
// are leaked, as a service would have when somebody asks for their memory.
//
// The limit is what is used in the last minutes on average, since any one of them has the noise
// of the garbage collector.
const minutes, last = 200, 20

func perMinute(held int) int { return max(1, min(100, 256<<10/held)) }

func measure(held int) figures {
	runtime.GC()
	end := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { churn(end) })
	}
	defer all.Wait()
	defer close(end)

	limit := 0.0
	records := make([][]finding.Point, minutes)
	start := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	for minute := range records {
		for range perMinute(held) {
			all.Go(func() { leak(held, end) })
		}
		awaitCollection()
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

// awaitCollection waits until the garbage collector has run, as it does in every minute or two
// of a real process, at the least. Its goal is as old as its latest run.
func awaitCollection() {
	cycles := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(cycles)
	for before := cycles[0].Value.Uint64(); cycles[0].Value.Uint64() == before; metrics.Read(cycles) {
		time.Sleep(100 * time.Microsecond)
	}
}

// leak holds memory until the end.
func leak(held int, end <-chan struct{}) {
	memory := make([]byte, held)
	<-end
	runtime.KeepAlive(memory)
}

// churn makes garbage, as a service does.
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

// observe returns what the processor and contrib's runtime metrics say of this process, and
// how much memory it uses at the most before the garbage collector runs again.
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

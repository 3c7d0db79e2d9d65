package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

// measureAll measures fleets of all sizes, and the peer with one of them.
func measureAll(sizes []int, besidePeer int) (result.Results, error) {
	var r result.Results
	var err error
	if r.Rows, err = beside(besidePeer); err != nil {
		return r, err
	}
	var f *fleet
	var largest watchingCost
	for _, streams := range sizes {
		f = newFleet(streams, false)
		if largest, err = watchFleet(f); err != nil {
			return r, err
		}
		r.Growth = append(r.Growth, result.Point{Number: f.streams, Cores: largest.cores()})
	}
	saved, err := saveState(f)
	if err != nil {
		return r, err
	}
	of := fmt.Sprintf("%.2g million streams, a point a minute each: ", float64(f.streams)/1e6)
	r.Rows = append(r.Rows,
		result.Row{Name: of + "CPU beside the state", Unit: "core", Value: largest.cores()},
		result.Row{Name: of + "CPU of writing the state", Unit: "core", Value: saved.cpu.Seconds() / saved.every().Seconds()},
		result.Row{Name: of + "state written", Unit: "MiB/s", Value: mib(saved.bytes) / saved.every().Seconds()},
		result.Row{Name: "exponent of growth up to that", Value: result.Exponent(r.Growth)},
		result.Row{Name: "streams of a group of goroutines", Unit: "stream", Value: float64(f.streams) / float64(f.groups())},
		result.Row{Name: "memory of a group", Unit: "byte", Value: float64(largest.heap) / float64(f.groups())},
		result.Row{Name: "state of a group", Unit: "byte", Value: float64(saved.bytes) / float64(f.groups())},
	)
	passed, err := wire(2 * besidePeer / 1000)
	r.Rows = append(r.Rows, passed...)
	return r, err
}

// beside measures the detector and the peer with the same points.
func beside(streams int) ([]result.Row, error) {
	ours, err := watchFleet(newFleet(streams, false))
	if err != nil {
		return nil, err
	}
	p, err := newPeer()
	if err != nil {
		return nil, err
	}
	f := newFleet(streams, true)
	peer, err := watch(f, p)
	if err != nil {
		return nil, err
	}
	return []result.Row{
		result.Beside("a point, beside delta_to_cumulative", "µs", ours.perPoint(), peer.perPoint()),
		result.Beside("memory of a stream, beside delta_to_cumulative", "byte",
			float64(ours.heap)/float64(f.streams), float64(peer.heap)/float64(f.streams)),
	}, nil
}

// watchingCost is the cost of watching a fleet after the first two hours.
type watchingCost struct {
	cost
	heap uint64 // bytes in use
}

// cores returns the cores in use with a scrape a minute.
func (w watchingCost) cores() float64 {
	return w.cpu.Seconds() / float64(w.scrapes) / time.Minute.Seconds()
}

// perPoint returns the CPU time of a point in µs.
func (w watchingCost) perPoint() float64 { return 1e6 * w.cpu.Seconds() / float64(w.points) }

func watchFleet(f *fleet) (watchingCost, error) {
	p, err := newDetector(f, consumertest.NewNop())
	if err != nil {
		return watchingCost{}, err
	}
	return watch(f, p)
}

// watch measures a processor, and shuts it down.
func watch(f *fleet, p processor.Metrics) (w watchingCost, err error) {
	defer func() { err = errors.Join(err, p.Shutdown(context.Background())) }()
	before := heapInUse()
	if err := f.warm(p); err != nil {
		return w, err
	}
	w.heap = heapInUse() - before
	if w.cost, err = f.steady(p); err != nil {
		return w, err
	}
	runtime.KeepAlive(p)
	made, err := f.steady(consumertest.NewNop())
	w.cpu -= made.cpu
	return w, err
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Limits of the processor's saving.
const (
	saveInterval = time.Minute
	maxRate      = 2 << 20 // bytes per second on average
)

// every returns the interval at which a state of this size is saved.
func (s savingCost) every() time.Duration {
	return max(saveInterval, time.Duration(s.bytes)*time.Second/maxRate)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

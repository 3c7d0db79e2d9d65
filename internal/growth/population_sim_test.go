package growth

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"
)

// world is a simulated group of goroutines. Observations are derived from the times of birth and
// death of each goroutine, as the census does.
type world struct {
	interval  time.Duration
	agedAfter time.Duration
	length    time.Duration
	// births returns the births per hour at a time since the start.
	births func(t time.Duration) float64
	// lifetime draws the lifetime of a goroutine born at t.
	lifetime func(r *rand.Rand, t time.Duration) time.Duration
	// initial is the number of goroutines at the first observation.
	initial int
	// restart, if set, is the interval at which the process restarts.
	restart time.Duration
	seed    uint64
}

const forever = 1 << 62

type deaths []time.Duration

func (d deaths) Len() int           { return len(d) }
func (d deaths) Less(i, j int) bool { return d[i] < d[j] }
func (d deaths) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deaths) Push(x any)        { *d = append(*d, x.(time.Duration)) }
func (d *deaths) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

type person struct{ seen, dies time.Duration }

// epoch is the arbitrary start time of simulations.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// run simulates the world and calls f with each observation until f returns false.
func (w world) run(f func(o Observation) bool) {
	r := rand.New(rand.NewPCG(w.seed, 1))
	var young []person // first seen less than agedAfter ago
	var aged deaths
	var exits float64
	var newborn []person
	start := time.Duration(0)
	for range w.initial {
		young = append(young, person{seen: 0, dies: w.lifetime(r, 0)})
	}
	for t := w.interval; t <= w.length; t += w.interval {
		if w.restart > 0 && t-start >= w.restart {
			young, aged, exits, start = nil, nil, 0, t
		}
		newborn = newborn[:0]
		for range poisson(r, w.births(t)*w.interval.Hours()) {
			newborn = append(newborn, person{seen: t, dies: t + w.lifetime(r, t)})
		}
		for len(aged) > 0 && aged[0] <= t {
			heap.Pop(&aged)
			exits++
		}
		kept := young[:0]
		for _, p := range young {
			switch {
			case t-p.seen >= w.agedAfter && p.dies > t:
				heap.Push(&aged, p.dies)
			case p.dies > t:
				kept = append(kept, p)
			}
		}
		kept = append(kept, newborn...)
		young = kept
		ok := f(Observation{
			At:     epoch.Add(t),
			Start:  epoch.Add(start),
			Count:  float64(len(young) + len(aged)),
			Census: true,
			Aged:   float64(len(aged)),
			Exits:  exits,
		})
		if !ok {
			return
		}
	}
}

// firstAt simulates the world, with or without a census, and returns when severity is first reached.
func (w world) firstAt(rules Rules, severity Severity, census bool) (time.Duration, bool) {
	var e Evidence
	at, found := time.Duration(0), false
	w.run(func(o Observation) bool {
		if !census {
			o.Census, o.Aged, o.Exits = false, 0, 0
		}
		if e.Observe(&rules, o).Severity >= severity {
			at, found = o.At.Sub(epoch), true
		}
		return !found
	})
	return at, found
}

func poisson(r *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n := 0
	for p := r.Float64(); p > math.Exp(-mean); p *= r.Float64() {
		n++
	}
	return n
}

func steady(perHour float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return perHour }
}

func never(*rand.Rand, time.Duration) time.Duration { return forever }

func memoryless(mean time.Duration) func(*rand.Rand, time.Duration) time.Duration {
	return func(r *rand.Rand, _ time.Duration) time.Duration {
		return time.Duration(r.ExpFloat64() * float64(mean))
	}
}

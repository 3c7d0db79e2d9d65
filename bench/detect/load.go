package main

import (
	"math"
	"math/rand/v2"
)

// load is how many come a minute, at a time.
type load func(t float64) float64

// steady is the same at all times.
func steady(perMinute float64) load { return func(float64) float64 { return perMinute } }

// daily swings around mean by a share of it: highest at three in the afternoon,
// lowest at three at night.
func daily(mean, swing float64) load {
	return func(t float64) float64 {
		return mean * (1 + swing*math.Sin(2*math.Pi*(t-9*hour)/day))
	}
}

// weekly is daily, and at weekends a third of it. The first day is this one of
// the week, Monday being 0.
func weekly(first, mean, swing float64) load {
	of := daily(mean, swing)
	return func(t float64) float64 {
		if d := math.Mod(math.Floor(t/day)+first, 7); d == 5 || d == 6 {
			return of(t) / 3
		}
		return of(t)
	}
}

// ramp goes linearly from one load to another and stays there.
func ramp(from, to, begin, end float64) load {
	return func(t float64) float64 {
		return from + (to-from)*min(1, max(0, (t-begin)/(end-begin)))
	}
}

// between is a load from begin on and before end, and none else.
func between(begin, end float64, of load) load {
	return func(t float64) float64 {
		if t < begin || t >= end {
			return 0
		}
		return of(t)
	}
}

// sum adds loads up.
func sum(of ...load) load {
	return func(t float64) float64 {
		total := 0.0
		for _, l := range of {
			total += l(t)
		}
		return total
	}
}

// times is a load multiplied.
func (l load) times(by float64) load { return func(t float64) float64 { return by * l(t) } }

// wandering is a load whose logarithm returns to that of mean within six hours or
// so and meanwhile strays by a half of it: a walk without any rhythm.
func wandering(r *rand.Rand, mean float64) load {
	const relax, stray = 6 * hour, 0.5
	walk := make([]float64, int(5*day))
	for i := 1; i < len(walk); i++ {
		walk[i] = walk[i-1]*(1-1/relax) + stray*math.Sqrt(2/relax)*r.NormFloat64()
	}
	return func(t float64) float64 {
		return mean * math.Exp(walk[min(len(walk)-1, max(0, int(t+day)))])
	}
}

// poisson lets them arrive independently of each other, at a load.
func poisson(of load) arrivals {
	return func(r *rand.Rand, l life, born func(float64)) {
		for m := math.Floor(l.begin); m < l.end; m++ {
			perMinute := of(m)
			if perMinute <= 0 {
				continue
			}
			for at := m + r.ExpFloat64()/perMinute; at < m+1; at += r.ExpFloat64() / perMinute {
				if at >= l.begin && at < l.end {
					born(at)
				}
			}
		}
	}
}

// atOnce lets n start together at a time.
func atOnce(n int, at float64) arrivals {
	return func(_ *rand.Rand, l life, born func(float64)) {
		if at < l.begin || at >= l.end {
			return
		}
		for range n {
			born(at)
		}
	}
}

// fromStart lets n start with each life.
func fromStart(n int) arrivals {
	return func(_ *rand.Rand, l life, born func(float64)) {
		for range n {
			born(l.begin)
		}
	}
}

// spread lets n start, each after a time of its own since the start of the life.
func spread(n int, after func(r *rand.Rand) float64) arrivals {
	return func(r *rand.Rand, l life, born func(float64)) {
		for range n {
			if at := l.begin + after(r); at < l.end {
				born(at)
			}
		}
	}
}

// forever is longer than any run.
const forever = 1e9

func never(*rand.Rand, float64) float64 { return forever }

// memoryless is a lifetime that does not depend on how long one has lived.
func memoryless(mean float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 { return r.ExpFloat64() * mean }
}

// around is a lifetime of nearly equal length.
func around(mean, deviation float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 { return max(0, mean+deviation*r.NormFloat64()) }
}

// atMost cuts a lifetime off, as a timeout does.
func (l lifetime) atMost(timeout float64) lifetime {
	return func(r *rand.Rand, at float64) float64 { return min(timeout, l(r, at)) }
}

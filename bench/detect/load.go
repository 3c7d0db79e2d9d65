package main

import (
	"math"
	"math/rand/v2"
)

// load returns the number of arrivals per minute at a time.
type load func(t float64) float64

// steady is a constant load.
func steady(perMinute float64) load { return func(float64) float64 { return perMinute } }

// daily varies around mean by the share swing. It is highest at three in the afternoon and lowest at three at night.
func daily(mean, swing float64) load {
	return func(t float64) float64 {
		return mean * (1 + swing*math.Sin(2*math.Pi*(t-9*hour)/day))
	}
}

// weekly is daily, but a third of it at weekends. first is the weekday of the first day, with Monday 0.
func weekly(first, mean, swing float64) load {
	of := daily(mean, swing)
	return func(t float64) float64 {
		if d := math.Mod(math.Floor(t/day)+first, 7); d == 5 || d == 6 {
			return of(t) / 3
		}
		return of(t)
	}
}

// ramp changes linearly from one load to another, and stays there.
func ramp(from, to, begin, end float64) load {
	return func(t float64) float64 {
		return from + (to-from)*min(1, max(0, (t-begin)/(end-begin)))
	}
}

// between is a load from begin until before end, and 0 otherwise.
func between(begin, end float64, of load) load {
	return func(t float64) float64 {
		if t < begin || t >= end {
			return 0
		}
		return of(t)
	}
}

// sum is the sum of loads.
func sum(of ...load) load {
	return func(t float64) float64 {
		total := 0.0
		for _, l := range of {
			total += l(t)
		}
		return total
	}
}

// times returns the load multiplied by a factor.
func (l load) times(by float64) load { return func(t float64) float64 { return by * l(t) } }

// wandering is a random load without rhythm. Its logarithm deviates from that of mean by 0.5, and returns to it
// within about six hours.
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

// poisson returns independent arrivals at a load.
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

// atOnce returns n arrivals at one time.
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

// fromStart returns n arrivals at the start of each life.
func fromStart(n int) arrivals {
	return func(_ *rand.Rand, l life, born func(float64)) {
		for range n {
			born(l.begin)
		}
	}
}

// spread returns n arrivals, each at a random time after the start of the life.
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

// memoryless is an exponentially distributed lifetime.
func memoryless(mean float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 { return r.ExpFloat64() * mean }
}

// around is a normally distributed lifetime.
func around(mean, deviation float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 { return max(0, mean+deviation*r.NormFloat64()) }
}

// atMost limits a lifetime, as a timeout does.
func (l lifetime) atMost(timeout float64) lifetime {
	return func(r *rand.Rand, at float64) float64 { return min(timeout, l(r, at)) }
}

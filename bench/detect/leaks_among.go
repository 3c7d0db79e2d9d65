package main

import (
	"math"
	"math/rand/v2"
)

// leakAmongFamilies are leaks at lines where healthy goroutines also wait, and exit. Most wait for a peer, as
// connections do.
func leakAmongFamilies() []family {
	return []family{
		{"leak, among sessions of 10 min", 72, false, 0, allDetectors, among(5, 0.1, fixed(memoryless(10)))},
		{"leak, among sessions of 1 h", 72, false, 0, allDetectors, among(0.5, 0.2, fixed(memoryless(hour)))},
		{"leak, among sessions of 4 h", 72, false, 0, allDetectors, among(0.4, 0.2, fixed(memoryless(4*hour)))},
		{"leak, among lognormal sessions", 72, false, 0, allDetectors, among(2, 0.15, func(r *rand.Rand) lifetime {
			return lognormal(within(r, 10, 30), within(r, 1, 2))
		})},
		{"leak, among Pareto sessions", 72, false, 0, allDetectors, among(2, 0.15, func(r *rand.Rand) lifetime {
			return pareto(5, within(r, 1.2, 2))
		})},
		{"leak, 5% of websockets of 2 h", 72, false, 0, allDetectors, among(0.8, 0.05, fixed(memoryless(2*hour)))},
		{"leak, connections of a maximum age", 72, false, 0, allDetectors, among(1, 0.1, func(r *rand.Rand) lifetime {
			return maximumAge(within(r, 0.5*hour, 2*hour))
		})},
		{"leak, websockets, starting late", 72, false, 0, allDetectors, halfOpenLate},
		{"leak, sessions in office hours", 72, false, 0, allDetectors, inOfficeHours},
		{"leak, beside a pool that fills", 48, false, 0, allDetectors, besideAPool},
		{nightlyFamily, 168, false, 0, allDetectors, eachNight},
	}
}

// fixed returns the same lifetime in each case.
func fixed(l lifetime) func(*rand.Rand) lifetime { return func(*rand.Rand) lifetime { return l } }

// lognormal is a lifetime with a heavy tail. sigma is the standard deviation of its logarithm.
func lognormal(median, sigma float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 { return median * math.Exp(sigma*r.NormFloat64()) }
}

// pareto is a lifetime with the heaviest known tail of sessions: of those that reach an age, the share 1 - 2^-alpha
// ends before twice that age.
func pareto(least, alpha float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 { return least * math.Pow(1-r.Float64(), -1/alpha) }
}

// maximumAge is the lifetime of connections that are closed at an age with 10% jitter. One of five ends before.
func maximumAge(age float64) lifetime {
	return func(r *rand.Rand, _ float64) float64 {
		end := age * within(r, 0.9, 1.1)
		if r.IntN(5) == 0 {
			return end * r.Float64()
		}
		return end
	}
}

// sessionGroup is the group of sessions, whether they leak or not.
func sessionGroup(sources ...source) group { return named(sessionFunction, "io_wait", sources...) }

// mixed returns a trial of one process whose first group leaks among healthy goroutines that exit.
func mixed(p process, onset float64) trial {
	t := leaky(p, onset)
	t.leaks[0].mixed = true
	return t
}

// among leaks a share of the goroutines that arrive at a line at a mean rate. The others stay for a random time.
func among(perMinute, leaks float64, stay func(*rand.Rand) lifetime) func(*rand.Rand) trial {
	return func(r *rand.Rand) trial {
		onset := soon(r)
		come := steady(about(r, perMinute))
		return mixed(service(r, always(), sessionGroup(
			calls(come.times(1-leaks), stay(r)),
			leaking(between(onset, forever, come.times(leaks))))), onset)
	}
}

// halfOpenLate starts to leak connections after 12 to 20 hours of watching.
func halfOpenLate(r *rand.Rand) trial {
	onset := within(r, 12*hour, 20*hour)
	come := steady(about(r, 0.8))
	return mixed(service(r, always(), sessionGroup(
		calls(come, memoryless(2*hour)),
		leaking(between(onset, forever, come.times(0.05))))), onset)
}

// inOfficeHours leaks one of twenty sessions of half an hour, mostly by day.
func inOfficeHours(r *rand.Rand) trial {
	onset := 7*hour + soon(r)
	come := officeHours(about(r, 4))
	return mixed(service(r, always(), sessionGroup(
		calls(come, memoryless(30)),
		leaking(between(onset, forever, come.times(0.05))))), onset)
}

// besideAPool leaks at the line of a pool that is filling, whose goroutines never exit.
func besideAPool(r *rand.Rand) trial {
	onset := soon(r)
	pace := within(r, 10, hour)
	opened := spread(50+r.IntN(51), func(r *rand.Rand) float64 { return r.ExpFloat64() * pace })
	return mixed(service(r, fresh(), leakingGroup(
		source{arrivals: opened, lifetime: never},
		leaking(between(onset, forever, steady(0.3))))), onset)
}

// nightlyFamily has figures of its own: a leak with one burst each night cannot have three steps before the third night.
const nightlyFamily = "leak, twenty in a burst each night"

// eachNight leaks the twenty workers of a job, once a night.
func eachNight(r *rand.Rand) trial {
	begin := within(r, 0, 4*hour)
	p := service(r, always(), leakingGroup())
	for night := range 7 {
		at := begin + float64(night)*day + within(r, 0, 30)
		p.groups[0].sources = append(p.groups[0].sources, source{
			arrivals: atOnce(20, at), lifetime: never, leaks: true, mean: steady(0),
		})
	}
	t := leaky(p, begin)
	t.leaks[0].bursts = true
	return t
}

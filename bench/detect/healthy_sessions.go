package main

import (
	"math"
	"math/rand/v2"
)

// sessionFamilies are healthy services whose goroutines live as long as a user stays.
func sessionFamilies() []family {
	return []family{
		{"20,000 websockets", 24, false, 0, allDetectors, websockets},
		{"sessions of 15 minutes on average", 48, true, 0, allDetectors, sessions(15)},
		{"sessions of 2 h on average", 48, false, 0, allDetectors, sessions(2 * hour)},
		{"sessions of 8 h on average", 48, false, 0, allDetectors, sessions(8 * hour)},
		{"lognormal sessions", 48, false, 0, allDetectors, connections(2, func(r *rand.Rand) lifetime {
			return lognormal(within(r, 10, 30), within(r, 1, 2))
		})},
		{"Pareto sessions", 48, false, 0, allDetectors, connections(2, func(r *rand.Rand) lifetime {
			return pareto(5, within(r, 1.2, 2))
		})},
		{"connections of a maximum age", 48, false, 0, allDetectors, connections(1, func(r *rand.Rand) lifetime {
			return maximumAge(within(r, 0.5*hour, 2*hour))
		})},
		{"streams of 3 h", 48, false, 0, allDetectors, connections(0.5, fixed(around(3*hour, 20)))},
		{"connections that close when idle", 48, false, 0, allDetectors, connections(0.5, fixed(func(r *rand.Rand, _ float64) float64 {
			return 30 + r.ExpFloat64()*hour
		}))},
		{"a working day, three times", 72, false, day, allDetectors, workingDays},
	}
}

const sessionFunction = "shop/live.(*Session).read"

// websockets stay for four hours on average, and their number is nearly constant.
func websockets(r *rand.Rand) trial {
	const open, mean = 20_000, 4 * hour
	return healthyTrial(service(r, always(), named(sessionFunction, "io_wait",
		source{arrivals: fromStart(open), lifetime: memoryless(mean)},
		calls(steady(open/mean), memoryless(mean)))))
}

// sessions have exponentially distributed lifetimes. The load rises tenfold in the morning and falls in the evening.
// There are about 200 by day, fewer of the longest.
func sessions(mean float64) func(*rand.Rand) trial {
	return func(r *rand.Rand) trial {
		return healthyTrial(service(r, always(), named(sessionFunction, "io_wait",
			calls(officeHours(about(r, 200/mean)), memoryless(mean)))))
	}
}

// officeHours rises from a tenth to the full load between seven and ten in the morning, and falls between five and
// eight in the evening, each day.
func officeHours(perMinute float64) load {
	return func(t float64) float64 {
		at := t - day*math.Floor(t/day)
		morning := ramp(0, 1, 7*hour, 10*hour)(at)
		evening := ramp(0, 1, 17*hour, 20*hour)(at)
		return perMinute * (0.1 + 0.9*(morning-evening))
	}
}

// workingDays has a session for each of some hundred people who come at about nine and stay for about eight hours.
// On the first day it cannot be distinguished from a leak, so flags count from the second day.
func workingDays(r *rand.Rand) trial {
	people := 100 + r.IntN(301)
	g := named(sessionFunction, "io_wait")
	for d := range 3 {
		come := func(r *rand.Rand, _ life, born func(float64)) {
			n := int(float64(people) * within(r, 0.95, 1.05))
			for range n {
				born(float64(d)*day + 9*hour + 30*r.NormFloat64())
			}
		}
		g.sources = append(g.sources, source{arrivals: come, lifetime: around(8*hour, 20)})
	}
	return healthyTrial(service(r, always(), g))
}

// connections arrive at a mean rate, more by day, and stay for a random time. The process is deployed on the first day.
func connections(perMinute float64, stay func(*rand.Rand) lifetime) func(*rand.Rand) trial {
	return func(r *rand.Rand) trial {
		deploy := within(r, 0, day)
		return healthyTrial(service(r, []life{{-day, deploy}, {deploy, forever}},
			sessionGroup(calls(daily(about(r, perMinute), 0.5), stay(r)))))
	}
}

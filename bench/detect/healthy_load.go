package main

import (
	"math"
	"math/rand/v2"
)

// loadFamilies are healthy services whose load changes, and with it the number of
// goroutines that live for seconds or minutes; and those that start some that stay.
func loadFamilies() []family {
	return []family{
		{"flat", 24, true, 0, everybody, flat},
		{"daily swing", 48, true, 0, everybody, dailySwing},
		{"weekly swing", 72, true, 0, everybody, weeklySwing},
		{"step that stays", 24, true, 0, everybody, step},
		{"thirty once, never again", 24, true, 0, everybody, bounded},
		{"ramp of six hours, up and down", 24, true, 0, everybody, upAndDown},
		{"bursts", 24, true, 0, everybody, bursts},
		{"slow random walk", 48, true, 0, everybody, walk},
		{"collector's sawtooth (memory)", 24, true, 0, everybody, sawtooth},
		{"cache filling for hours (memory)", 48, true, 0, everybody, filling},
	}
}

const callFunction = "shop/stock.(*Client).Get"

func flat(r *rand.Rand) trial {
	return alone(service(r, always(), named(callFunction, "select",
		calls(steady(about(r, 60)), memoryless(1)))))
}

// dailySwing is calls to something slow: a few minutes each.
func dailySwing(r *rand.Rand) trial {
	return alone(service(r, always(), named(callFunction, "select",
		calls(daily(about(r, 60), 0.8), memoryless(3).atMost(30)))))
}

// weeklySwing begins on a Saturday and ends on Monday night.
func weeklySwing(r *rand.Rand) trial {
	const saturday = 5
	return alone(service(r, always(), named(callFunction, "select",
		calls(weekly(saturday, about(r, 60), 0.5), memoryless(3).atMost(30)))))
}

// step is a change of configuration that starts more workers.
func step(r *rand.Rand) trial {
	return alone(service(r, always(), named("shop/work.(*More).run", "chan_receive",
		resident(10), source{arrivals: atOnce(50+r.IntN(151), within(r, 2*hour, 20*hour)), lifetime: never})))
}

// bounded leaks thirty in ten minutes, while something was wrong, and never again.
// That does not grow, so growth must not flag it.
func bounded(r *rand.Rand) trial {
	at := within(r, 2*hour, 20*hour)
	once := func(r *rand.Rand, _ life, born func(float64)) {
		for range 30 {
			born(at + within(r, 0, 10))
		}
	}
	return alone(service(r, always(), named(leakFunction, "chan_send", source{arrivals: once, lifetime: never})))
}

// upAndDown rises for six hours to fifteen times the load, and falls for six.
func upAndDown(r *rand.Rand) trial {
	from := within(r, 0, 6*hour)
	low := about(r, 10)
	hill := func(t float64) float64 {
		return low * (1 + 14*max(0, 1-math.Abs(t-from-6*hour)/(6*hour)))
	}
	return alone(service(r, always(), named(callFunction, "select",
		calls(hill, memoryless(2).atMost(30)))))
}

// bursts are hundreds at once for some minutes, some of them close together.
func bursts(r *rand.Rand) trial {
	g := named(callFunction, "select", calls(steady(10), memoryless(1)))
	for at := 0.0; at < day; at += r.ExpFloat64() * 2 * hour {
		g.sources = append(g.sources, source{
			arrivals: atOnce(200+r.IntN(800), at),
			lifetime: memoryless(within(r, 2, 20)),
		})
	}
	return alone(service(r, always(), g))
}

// walk is a load that strays for hours, on calls of a quarter of an hour.
func walk(r *rand.Rand) trial {
	return alone(service(r, always(), named(callFunction, "select",
		calls(wandering(r, about(r, 10)), memoryless(15)))))
}

// sawtooth is a large heap whose collections are minutes apart.
func sawtooth(r *rand.Rand) trial {
	p := service(r, always())
	live := within(r, 200, 2000) * mebibyte
	p.memory.held = func(float64) float64 { return live }
	return alone(p)
}

// filling is a cache that comes near its limit after some hours.
func filling(r *rand.Rand) trial {
	p := service(r, fresh())
	limit, pace := within(r, 300, 2000)*mebibyte, within(r, hour, 3*hour)
	p.memory.held = func(t float64) float64 { return limit * (1 - math.Exp(-t/pace)) }
	return alone(p)
}

package main

import (
	"math"
	"math/rand/v2"
)

// loadFamilies are healthy services whose load changes, and with it the number of short-lived goroutines; and services
// that start some goroutines that stay.
func loadFamilies() []family {
	return []family{
		{"flat", 24, true, 0, allDetectors, flat},
		{"daily swing", 48, true, 0, allDetectors, dailySwing},
		{"weekly swing", 72, true, 0, allDetectors, weeklySwing},
		{"step that stays", 24, true, 0, allDetectors, step},
		{"thirty once, never again", 24, true, 0, allDetectors, bounded},
		{"ramp of six hours, up and down", 24, true, 0, allDetectors, upAndDown},
		{"bursts", 24, true, 0, allDetectors, bursts},
		{"slow random walk", 48, true, 0, allDetectors, walk},
		{"collector's sawtooth (memory)", 24, true, 0, allDetectors, sawtooth},
		{"cache filling for hours (memory)", 48, true, 0, allDetectors, filling},
	}
}

const callFunction = "shop/stock.(*Client).Get"

func flat(r *rand.Rand) trial {
	return healthyTrial(service(r, always(), named(callFunction, "select",
		calls(steady(about(r, 60)), memoryless(1)))))
}

// dailySwing has calls of a few minutes each.
func dailySwing(r *rand.Rand) trial {
	return healthyTrial(service(r, always(), named(callFunction, "select",
		calls(daily(about(r, 60), 0.8), memoryless(3).atMost(30)))))
}

// weeklySwing starts on a Saturday and ends on Monday night.
func weeklySwing(r *rand.Rand) trial {
	const saturday = 5
	return healthyTrial(service(r, always(), named(callFunction, "select",
		calls(weekly(saturday, about(r, 60), 0.5), memoryless(3).atMost(30)))))
}

// step is a change of configuration that starts more workers.
func step(r *rand.Rand) trial {
	return healthyTrial(service(r, always(), named("shop/work.(*More).run", "chan_receive",
		resident(10), source{arrivals: atOnce(50+r.IntN(151), within(r, 2*hour, 20*hour)), lifetime: never})))
}

// bounded leaks thirty goroutines in ten minutes, and never again. It does not grow, so it must not be flagged.
func bounded(r *rand.Rand) trial {
	at := within(r, 2*hour, 20*hour)
	once := func(r *rand.Rand, _ life, born func(float64)) {
		for range 30 {
			born(at + within(r, 0, 10))
		}
	}
	return healthyTrial(service(r, always(), named(leakFunction, "chan_send", source{arrivals: once, lifetime: never})))
}

// upAndDown has a load that rises fifteenfold in six hours, and falls in six hours.
func upAndDown(r *rand.Rand) trial {
	from := within(r, 0, 6*hour)
	low := about(r, 10)
	hill := func(t float64) float64 {
		return low * (1 + 14*max(0, 1-math.Abs(t-from-6*hour)/(6*hour)))
	}
	return healthyTrial(service(r, always(), named(callFunction, "select",
		calls(hill, memoryless(2).atMost(30)))))
}

// bursts starts hundreds of goroutines at once that stay for some minutes. Some bursts are close together.
func bursts(r *rand.Rand) trial {
	g := named(callFunction, "select", calls(steady(10), memoryless(1)))
	for at := 0.0; at < day; at += r.ExpFloat64() * 2 * hour {
		g.sources = append(g.sources, source{
			arrivals: atOnce(200+r.IntN(800), at),
			lifetime: memoryless(within(r, 2, 20)),
		})
	}
	return healthyTrial(service(r, always(), g))
}

// walk has a load that wanders for hours, with calls of a quarter of an hour.
func walk(r *rand.Rand) trial {
	return healthyTrial(service(r, always(), named(callFunction, "select",
		calls(wandering(r, about(r, 10)), memoryless(15)))))
}

// sawtooth has a large heap with minutes between garbage collections.
func sawtooth(r *rand.Rand) trial {
	p := service(r, always())
	live := within(r, 200, 2000) * mebibyte
	p.memory.held = func(float64) float64 { return live }
	return healthyTrial(p)
}

// filling has a cache that approaches its limit after some hours.
func filling(r *rand.Rand) trial {
	p := service(r, fresh())
	limit, pace := within(r, 300, 2000)*mebibyte, within(r, hour, 3*hour)
	p.memory.held = func(t float64) float64 { return limit * (1 - math.Exp(-t/pace)) }
	return healthyTrial(p)
}

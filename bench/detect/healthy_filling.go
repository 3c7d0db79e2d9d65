package main

import (
	"math"
	"math/rand/v2"
)

// fillingFamilies are healthy processes that fill after their start, by themselves or with their traffic.
func fillingFamilies() []family {
	return []family{
		{"warm-up", 24, true, 0, allDetectors, warmUp},
		{"pool growing to its limit", 24, false, 0, allDetectors, growingPool},
		{"pool of 80, filling exponentially", 24, false, 0, allDetectors, poolOf80},
		{"workers started lazily per key", 24, false, 0, allDetectors, lazyKeys},
		{"lazy keys, deploys every few hours", 48, false, 0, allDetectors, lazyKeysDeployed},
		{"informers added within an hour", 24, false, 0, allDetectors, informers},
		{"a fleet connecting within an hour", 24, false, 0, allDetectors, fleet},
		{"traffic shifted over 8 h", 24, false, 0, allDetectors, shifted},
		{"growing 3% an hour for three days", 72, false, 0, allDetectors, growingService},
		{"load that doubles, deploys", 48, true, 0, allDetectors, doublesDeployed},
	}
}

// warmUp starts its workers on demand, most of them in the first half hour, while traffic is shifted to it.
func warmUp(r *rand.Rand) trial {
	workers := spread(40+r.IntN(61), func(r *rand.Rand) float64 { return r.ExpFloat64() * 15 })
	return healthyTrial(service(r, fresh(),
		named("shop/work.(*Lazy).run", "chan_receive", source{arrivals: workers, lifetime: never}),
		named(callFunction, "select", calls(ramp(1, about(r, 60), 0, hour), memoryless(3).atMost(30)))))
}

// growingPool opens a connection when all are busy: often at first, and more rarely towards its limit.
func growingPool(r *rand.Rand) trial {
	pace := within(r, 0.5*hour, 2*hour)
	opened := spread(50+r.IntN(151), func(r *rand.Rand) float64 { return r.ExpFloat64() * pace })
	return healthyTrial(service(r, fresh(), named("database/sql.(*DB).connectionOpener", "select",
		source{arrivals: opened, lifetime: never})))
}

// poolOf80 fills within minutes or hours.
func poolOf80(r *rand.Rand) trial {
	pace := 10 * math.Pow(18, r.Float64())
	opened := spread(80, func(r *rand.Rand) float64 { return r.ExpFloat64() * pace })
	return healthyTrial(service(r, fresh(), named("shop/db.(*Conn).watch", "select",
		source{arrivals: opened, lifetime: never})))
}

// keys starts a worker at the first request for each of n keys. The rates of the keys follow Zipf's law and have the
// sum perMinute.
func keys(n int, perMinute float64) arrivals {
	harmonic := 0.0
	for rank := 1; rank <= n; rank++ {
		harmonic += 1 / float64(rank)
	}
	return func(r *rand.Rand, l life, born func(float64)) {
		for rank := 1; rank <= n; rank++ {
			rate := perMinute / harmonic / float64(rank)
			if at := l.begin + r.ExpFloat64()/rate; at < l.end {
				born(at)
			}
		}
	}
}

// keyed is a group of workers for 50 to 400 keys with one to ten requests per minute.
func keyed(r *rand.Rand) group {
	return named("shop/tenant.(*Worker).run", "chan_receive", source{
		arrivals: keys(50+r.IntN(351), math.Pow(10, r.Float64())), lifetime: never,
	})
}

func lazyKeys(r *rand.Rand) trial { return healthyTrial(service(r, fresh(), keyed(r))) }

func lazyKeysDeployed(r *rand.Rand) trial {
	return healthyTrial(service(r, deployed(r), keyed(r)))
}

// informers are added evenly within an hour of the start, as a Kubernetes operator discovers its resources.
func informers(r *rand.Rand) trial {
	added := spread(20+r.IntN(61), func(r *rand.Rand) float64 { return within(r, 0, hour) })
	return healthyTrial(service(r, fresh(), named("k8s/cache.(*controller).Run", "select",
		source{arrivals: added, lifetime: never})))
}

// fleet is a service to which thousands of devices reconnect evenly within an hour after a deploy, and stay.
func fleet(r *rand.Rand) trial {
	over := within(r, 20, hour)
	come := spread(1000+r.IntN(7001), func(r *rand.Rand) float64 { return within(r, 0, over) })
	return healthyTrial(service(r, fresh(), sessionGroup(source{arrivals: come, lifetime: never})))
}

// shifted takes over traffic evenly during eight hours, with sessions of one to two hours.
func shifted(r *rand.Rand) trial {
	return healthyTrial(service(r, fresh(), sessionGroup(
		calls(ramp(0, about(r, 3), 0, 8*hour), memoryless(within(r, hour, 2*hour))))))
}

// growingService has 3% more sessions each hour for three days, eight times as many in the end.
func growingService(r *rand.Rand) trial {
	come := about(r, 0.5)
	grows := func(t float64) float64 { return come * math.Pow(1.03, t/hour) }
	return healthyTrial(service(r, always(), sessionGroup(calls(grows, memoryless(2*hour)))))
}

// doublesDeployed is deployed every few hours, while its load doubles permanently.
func doublesDeployed(r *rand.Rand) trial {
	at, come := within(r, 6*hour, 30*hour), about(r, 3)
	return healthyTrial(service(r, deployed(r), sessionGroup(
		calls(ramp(come, 2*come, at, at+8*hour), memoryless(15)))))
}

package main

import (
	"math"
	"math/rand/v2"
)

// fillingFamilies are healthy processes that fill from their start, by themselves or as
// traffic comes to them.
func fillingFamilies() []family {
	return []family{
		{"warm-up", 24, true, 0, everybody, warmUp},
		{"pool growing to its limit", 24, false, 0, everybody, growingPool},
		{"pool of 80, filling exponentially", 24, false, 0, everybody, poolOf80},
		{"workers started lazily per key", 24, false, 0, everybody, lazyKeys},
		{"lazy keys, deploys every few hours", 48, false, 0, everybody, lazyKeysDeployed},
		{"informers added within an hour", 24, false, 0, everybody, informers},
		{"a fleet connecting within an hour", 24, false, 0, everybody, fleet},
		{"traffic shifted over 8 h", 24, false, 0, everybody, shifted},
		{"growing 3% an hour for three days", 72, false, 0, everybody, growingService},
		{"load that doubles, deploys", 48, true, 0, everybody, doublesDeployed},
	}
}

// warmUp starts its workers one by one as it finds work for them, most of them in
// the first half hour, and its calls as traffic is shifted to it.
func warmUp(r *rand.Rand) trial {
	workers := spread(40+r.IntN(61), func(r *rand.Rand) float64 { return r.ExpFloat64() * 15 })
	return alone(service(r, fresh(),
		named("shop/work.(*Lazy).run", "chan_receive", source{arrivals: workers, lifetime: never}),
		named(callFunction, "select", calls(ramp(1, about(r, 60), 0, hour), memoryless(3).atMost(30)))))
}

// growingPool opens a connection when all are busy: often at first, ever more
// rarely towards its limit.
func growingPool(r *rand.Rand) trial {
	pace := within(r, 0.5*hour, 2*hour)
	opened := spread(50+r.IntN(151), func(r *rand.Rand) float64 { return r.ExpFloat64() * pace })
	return alone(service(r, fresh(), named("database/sql.(*DB).connectionOpener", "select",
		source{arrivals: opened, lifetime: never})))
}

// poolOf80 is one whose clients find their connections within minutes or hours.
func poolOf80(r *rand.Rand) trial {
	pace := 10 * math.Pow(18, r.Float64())
	opened := spread(80, func(r *rand.Rand) float64 { return r.ExpFloat64() * pace })
	return alone(service(r, fresh(), named("shop/db.(*Conn).watch", "select",
		source{arrivals: opened, lifetime: never})))
}

// keys starts a worker for each key when that is first asked for. How often each of n is
// asked for falls with its rank (Zipf), perMinute for all together.
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

// keyed is a group of workers per key: 50 to 400 keys, asked for one to ten times a
// minute.
func keyed(r *rand.Rand) group {
	return named("shop/tenant.(*Worker).run", "chan_receive", source{
		arrivals: keys(50+r.IntN(351), math.Pow(10, r.Float64())), lifetime: never,
	})
}

func lazyKeys(r *rand.Rand) trial { return alone(service(r, fresh(), keyed(r))) }

func lazyKeysDeployed(r *rand.Rand) trial {
	return alone(service(r, deployed(r), keyed(r)))
}

// informers are added one by one, evenly within an hour of the start, as an operator
// finds the kinds of things that it looks after.
func informers(r *rand.Rand) trial {
	added := spread(20+r.IntN(61), func(r *rand.Rand) float64 { return within(r, 0, hour) })
	return alone(service(r, fresh(), named("k8s/cache.(*controller).Run", "select",
		source{arrivals: added, lifetime: never})))
}

// fleet is thousands of devices, which connect again evenly within an hour after the
// service was deployed, and stay.
func fleet(r *rand.Rand) trial {
	over := within(r, 20, hour)
	come := spread(1000+r.IntN(7001), func(r *rand.Rand) float64 { return within(r, 0, over) })
	return alone(service(r, fresh(), sessionGroup(source{arrivals: come, lifetime: never})))
}

// shifted takes over traffic evenly for eight hours, of sessions of an hour or two.
func shifted(r *rand.Rand) trial {
	return alone(service(r, fresh(), sessionGroup(
		calls(ramp(0, about(r, 3), 0, 8*hour), memoryless(within(r, hour, 2*hour))))))
}

// growingService has 3% more sessions each hour, for three days: eight times as many.
func growingService(r *rand.Rand) trial {
	come := about(r, 0.5)
	grows := func(t float64) float64 { return come * math.Pow(1.03, t/hour) }
	return alone(service(r, always(), sessionGroup(calls(grows, memoryless(2*hour)))))
}

// doublesDeployed is deployed every few hours, and its load doubles for good meanwhile.
func doublesDeployed(r *rand.Rand) trial {
	at, come := within(r, 6*hour, 30*hour), about(r, 3)
	return alone(service(r, deployed(r), sessionGroup(
		calls(ramp(come, 2*come, at, at+8*hour), memoryless(15)))))
}

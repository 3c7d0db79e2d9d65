package main

import "math/rand/v2"

// watchedFamilies are healthy processes that existed before the watching, or that are not watched all the time.
func watchedFamilies() []family {
	return []family{
		{"residents", 48, false, 0, allDetectors, adopted},
		{"the collector comes late", 48, false, 0, allDetectors, adoptedWhileFilling},
		{"the collector restarts", 48, false, 0, allDetectors, rewatchedSessions},
		{"the collector loses hours", 48, false, 0, allDetectors, lostSessions},
	}
}

// adopted has 20 to 10,000 goroutines at a line that stay, some that exit over time, and others that come and go.
func adopted(r *rand.Rand) trial {
	n := residents(r)
	return healthyTrial(service(r, always(), sessionGroup(
		resident(n), source{arrivals: fromStart(n / 10), lifetime: memoryless(2 * day)},
		calls(daily(about(r, 1), 0.5), memoryless(within(r, 0.5*hour, 2*hour))))))
}

// adoptedWhileFilling is first watched while its pool fills.
func adoptedWhileFilling(r *rand.Rand) trial {
	begin := -within(r, 10, 3*hour)
	pace := within(r, 0.5*hour, 2*hour)
	opened := spread(50+r.IntN(151), func(r *rand.Rand) float64 { return r.ExpFloat64() * pace })
	return healthyTrial(service(r, []life{{begin, forever}},
		named("shop/db.(*Conn).watch", "select", source{arrivals: opened, lifetime: never}),
		sessionGroup(calls(daily(about(r, 2), 0.5), memoryless(hour)))))
}

func rewatchedSessions(r *rand.Rand) trial {
	p := service(r, always(), sessionGroup(
		resident(residents(r)), calls(daily(about(r, 2), 0.5), memoryless(within(r, 0.5*hour, 2*hour)))))
	p.rewatched = rewatched(r, 2*day)
	return healthyTrial(p)
}

func lostSessions(r *rand.Rand) trial {
	p := service(r, always(), sessionGroup(
		resident(residents(r)), calls(daily(about(r, 2), 0.5), memoryless(within(r, 0.5*hour, 2*hour)))))
	p.missed = lostHours(r, 2*day)
	return healthyTrial(p)
}

package main

import (
	"math"
	"math/rand/v2"
)

// operationFamilies are healthy services in operation: jobs, deploys, scaling, lost data.
func operationFamilies() []family {
	return []family{
		{"hourly jobs", 24, true, 0, allDetectors, hourlyJobs},
		{"workers that wait elsewhere", 48, true, 0, allDetectors, movingWorkers},
		{"jobs at night", 48, false, 0, allDetectors, nightlyJobs},
		{"a queue worked off at night", 72, false, day, allDetectors, nightlyQueue},
		{"deploys every few hours", 48, true, 0, allDetectors, deploys},
		{"scale-out and scale-in", 48, true, 0, allDetectors, scaling},
		{"connections to a scaled fleet", 72, false, 0, allDetectors, scaledFleet},
		{"new version, other signatures", 24, true, 0, allDetectors, newVersion},
		{"an hour without data", 24, true, 0, allDetectors, gap},
		{"scrapes that fail", 48, true, 0, allDetectors, failures},
	}
}

const jobFunction = "shop/report.(*Job).run"

// hourlyJobs starts dozens of goroutines at each hour, which stay for minutes.
func hourlyJobs(r *rand.Rand) trial {
	g := named(jobFunction, "waitgroup")
	for h := range 24 {
		g.sources = append(g.sources, source{
			arrivals: atOnce(20+r.IntN(31), float64(h)*hour+within(r, 0, 2)),
			lifetime: around(within(r, 5, 20), 2),
		})
	}
	return healthyTrial(service(r, always(), g))
}

// movingWorkers has a pool of hundreds of workers that always exist. As load rises in the morning, more of them wait
// for the database instead of for work.
func movingWorkers(r *rand.Rand) trial {
	idle := named("shop/work.(*Queue).take", "chan_receive", resident(200+r.IntN(401)))
	querying := named("shop/db.(*Conn).read", "io_wait")
	querying.entry = idle.entry
	idle.sources[0].visits = []int{1}
	idle.sources[0].busy = officeHours(within(r, 0.5, 0.9))
	return healthyTrial(service(r, always(), idle, querying))
}

// nightlyJobs starts dozens of workers at two at night. They stay for one to three hours, and run tasks of some
// minutes.
func nightlyJobs(r *rand.Rand) trial {
	workers, tasks := named(jobFunction, "waitgroup"), named("shop/report.(*Job).step", "io_wait")
	for d := range 2 {
		begin, length := float64(d)*day+2*hour, within(r, hour, 3*hour)
		workers.sources = append(workers.sources,
			source{arrivals: atOnce(20+r.IntN(81), begin+within(r, 0, 5)), lifetime: around(length, 2)})
		tasks.sources = append(tasks.sources,
			calls(between(begin, begin+length, steady(about(r, 10))), memoryless(5)))
	}
	return healthyTrial(service(r, always(), workers, tasks))
}

// nightlyQueue starts goroutines one by one for half an hour, each for about two hours. Since none exits before the
// last has started, the first night cannot be distinguished from a leak, like the first day of workingDays. So flags
// count from the second night.
func nightlyQueue(r *rand.Rand) trial {
	g := named(jobFunction, "waitgroup")
	items := about(r, 10)
	for d := range 3 {
		at := float64(d)*day + 2*hour
		g.sources = append(g.sources, calls(between(at, at+30, steady(items)), around(2*hour, 20)))
	}
	return healthyTrial(service(r, always(), g))
}

// deploys replaces the process every three to five hours. Each new process fills with sessions of half an hour.
func deploys(r *rand.Rand) trial {
	return healthyTrial(service(r, deployed(r), named(sessionFunction, "io_wait",
		calls(daily(about(r, 3), 0.6), memoryless(30).atMost(hour)))))
}

// scaling runs one to three instances that share the load of the day. Additional instances start as load rises, and
// end in the evening.
func scaling(r *rand.Rand) trial {
	total := daily(about(r, 12), 0.7)
	shifts := [][2]float64{{0, day}, {8 * hour, 21 * hour}, {11 * hour, 18 * hour}}
	running := func(t float64) float64 {
		at, n := t-day*math.Floor(t/day), 0.0
		for _, s := range shifts {
			if at >= s[0] && at < s[1] {
				n++
			}
		}
		return n
	}
	share := func(t float64) float64 { return total(t) / running(t) }
	var t trial
	for i, s := range shifts {
		lives := always()
		if i > 0 {
			lives = []life{{s[0], s[1]}, {day + s[0], day + s[1]}}
		}
		t.processes = append(t.processes, service(r, lives, named(sessionFunction, "io_wait",
			calls(share, memoryless(20).atMost(hour)))))
	}
	return t
}

// scaledFleet keeps a connection to each of some hundred instances of a fleet. A few times a day the fleet is scaled
// out, one instance after the other, and in again some hours later.
func scaledFleet(r *rand.Rand) trial {
	first := func(r *rand.Rand) float64 { return within(r, 0, 15) }
	g := named("shop/rpc.(*Conn).writeLoop", "select",
		source{arrivals: spread(100+r.IntN(401), first), lifetime: never})
	for at := within(r, 4*hour, 12*hour); at < 3*day; at += within(r, 4*hour, 12*hour) {
		length := within(r, 20, 90)
		g.sources = append(g.sources, source{
			arrivals: spread(12+r.IntN(29), func(r *rand.Rand) float64 { return at + within(r, 0, length) }),
			lifetime: around(length+within(r, 2*hour, 10*hour), 10),
		})
	}
	return healthyTrial(service(r, fresh(), g))
}

// newVersion moves lines, so that all signatures of the service's own code are new.
func newVersion(r *rand.Rand) trial {
	deployed := within(r, 8*hour, 16*hour)
	load := daily(about(r, 6), 0.6)
	version := func(only int, function string) group {
		g := named(function, "select", calls(load, memoryless(15)), resident(10+r.IntN(20)))
		g.only = only
		return g
	}
	lives := []life{{-day, deployed}, {deployed, forever}}
	return healthyTrial(service(r, lives, version(1, "shop/live.(*Hub).serve"), version(2, "shop/live.(*Hub).serveAll")))
}

// gap loses an hour of data while the load changes.
func gap(r *rand.Rand) trial {
	at := int(within(r, 4*hour, 20*hour))
	p := service(r, always(), named(callFunction, "select", calls(daily(about(r, 6), 0.8), memoryless(15).atMost(hour))))
	p.missed = func(minute int) bool { return minute >= at && minute < at+60 }
	return healthyTrial(p)
}

// failures loses one of twenty scrapes, and at times several consecutive ones.
func failures(r *rand.Rand) trial {
	lost := make([]bool, int(2*day))
	for i := range lost {
		switch {
		case r.IntN(20) == 0:
			lost[i] = true
		case i > 0 && lost[i-1]:
			lost[i] = r.IntN(2) == 0
		}
	}
	p := service(r, always(), named(callFunction, "select", calls(daily(about(r, 6), 0.8), memoryless(15).atMost(hour))))
	p.missed = func(minute int) bool { return lost[minute] }
	return healthyTrial(p)
}

package main

import (
	"math"
	"math/rand/v2"
)

// leakServiceFamilies are leaks that do not show in a single process, or late: in a service that is deployed every few
// hours, and in many instances that leak slowly.
func leakServiceFamilies() []family {
	return []family{
		{hourlyFamily, 72, true, 0, serviceDetectors, hourlyDeployed},
		{"leak, ten replicas, deploys", 36, true, 0, serviceDetectors, tenReplicasDeployed},
	}
}

// serviceFamilies are healthy services that fill in every instance and every life.
func serviceFamilies() []family {
	return []family{
		{"pools of ten replicas, deploys", 24, false, 0, serviceDetectors, poolsDeployed},
		{"lazy keys, ten replicas", 24, false, 0, serviceDetectors, keysOfReplicas},
		{"lazy keys, ten replicas, deploys", 24, false, 0, serviceDetectors, keysOfReplicasDeployed},
		{"scaled out from 10 to 40", 12, false, 0, serviceDetectors, scaledOut},
		{"a canary with a larger pool", 24, false, 0, serviceDetectors, canary},
		{"ten gateways, deploys", 24, false, 0, serviceDetectors, gateways},
	}
}

const hourlyFamily = "leak, 1 an hour, deploys"

// everyFour returns consecutive lives of four hours, the first of which ends at a given time.
func everyFour(first, until float64) []life {
	var lives []life
	for at := 0.0; at < until; {
		next := at + 4*hour
		if at == 0 {
			next = first
		}
		lives = append(lives, life{at, next})
		at = next
	}
	return lives
}

// hourlyDeployed leaks one an hour, in lives of four hours.
func hourlyDeployed(r *rand.Rand) trial {
	t := leaky(service(r, everyFour(within(r, hour, 4*hour), 3*day), leakingGroup(leaking(steady(1/hour)))), 0)
	t.leaks[0].replica = true
	return t
}

// replicas returns ten instances that are deployed every four hours, two minutes apart.
func replicas(r *rand.Rand, until float64, groups func() []group) []process {
	first := within(r, hour, 4*hour)
	var all []process
	for i := range 10 {
		all = append(all, service(r, everyFour(first+float64(2*i), until), groups()...))
	}
	return all
}

// tenReplicasDeployed leak 0.6 an hour each.
func tenReplicasDeployed(r *rand.Rand) trial {
	t := trial{processes: replicas(r, 1.5*day, func() []group {
		return []group{leakingGroup(leaking(steady(0.6 / hour)))}
	})}
	for i, p := range t.processes {
		l := leakOf(p, i, 0, 0)
		l.replica = true
		t.leaks = append(t.leaks, l)
	}
	return t
}

// poolsDeployed has pools of 50 to 200 in every instance, which fill within one to eight hours, and deploys every four.
func poolsDeployed(r *rand.Rand) trial {
	size, pace := 50+r.IntN(151), hour*math.Pow(8, r.Float64())
	return trial{processes: replicas(r, day, func() []group { return []group{poolOf(size, pace)} })}
}

// poolOf returns a pool that fills exponentially.
func poolOf(size int, pace float64) group {
	return named("shop/db.(*Conn).watch", "select", source{
		arrivals: spread(size, func(r *rand.Rand) float64 { return r.ExpFloat64() * pace }), lifetime: never,
	})
}

func keysOfReplicas(r *rand.Rand) trial {
	var t trial
	g := keyed(r)
	for range 10 {
		t.processes = append(t.processes, service(r, fresh(), g))
	}
	return t
}

func keysOfReplicasDeployed(r *rand.Rand) trial {
	g := keyed(r)
	return trial{processes: replicas(r, day, func() []group { return []group{g} })}
}

// scaledOut has ten instances, to which thirty are added within minutes or hours. Each instance has connections from its
// start, and one more for each added instance.
func scaledOut(r *rand.Rand) trial {
	over := within(r, 20, 4*hour)
	begin := within(r, hour, 3*hour)
	connections := 20 + r.IntN(100)
	var added []float64
	for range 30 {
		added = append(added, begin+within(r, 0, over))
	}
	peers := func(_ *rand.Rand, l life, born func(float64)) {
		for _, at := range added {
			if at > l.begin {
				born(at)
			}
		}
	}
	var t trial
	for i := range 40 {
		lives := always()
		if i >= 10 {
			lives = []life{{added[i-10], forever}}
		}
		t.processes = append(t.processes, service(r, lives, named("shop/mesh.(*Peer).run", "select",
			resident(connections), source{arrivals: peers, lifetime: never})))
	}
	return t
}

// canary has a version with a pool three times as large, first on one of ten instances, and after some hours on all.
func canary(r *rand.Rand) trial {
	size, pace := 20+r.IntN(60), within(r, 10, 2*hour)
	begin, all := within(r, 2*hour, 6*hour), within(r, 8*hour, 14*hour)
	var t trial
	for i := range 10 {
		at := all + float64(3*i)
		if i == 0 {
			at = begin
		}
		before, after := poolOf(size, pace), poolOf(3*size, pace)
		before.only, after.only = 1, 2
		p := service(r, []life{{-day, at}, {at, forever}}, before, after)
		t.processes = append(t.processes, p)
	}
	return t
}

// gateways have up to 1,200 devices each, which reconnect evenly within an hour of a deploy.
func gateways(r *rand.Rand) trial {
	over, devices := within(r, 20, hour), 200+r.IntN(1000)
	return trial{processes: replicas(r, day, func() []group {
		return []group{sessionGroup(source{
			arrivals: spread(devices, func(r *rand.Rand) float64 { return within(r, 0, over) }), lifetime: never,
		})}
	})}
}

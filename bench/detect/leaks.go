package main

import "math/rand/v2"

// leakFamilies are leaks at lines without healthy goroutines that become aged. Most start soon after the process.
func leakFamilies() []family {
	return []family{
		{"leak, 0.2 a minute", 24, true, 0, allDetectors, constant(0.2)},
		{"leak, 1 a minute", 24, true, 0, allDetectors, constant(1)},
		{"leak, 3 a minute", 24, true, 0, allDetectors, constant(3)},
		{"leak, 60 a minute", 24, true, 0, allDetectors, constant(60)},
		{"leak, 2% of healthy calls", 24, true, 0, allDetectors, someCalls},
		{"leak, with the daily load", 48, true, 0, allDetectors, withLoad},
		{"leak, under errors only", 48, true, 0, allDetectors, underErrors},
		{"leak, starting late", 36, true, 0, allDetectors, startingLate},
		{"leak, a restart every 8 h", 32, true, 0, allDetectors, restarted},
		{"leak, one replica of ten", 24, true, 0, allDetectors, oneReplica},
		{"leak, slow under a daily swing", 48, true, 0, allDetectors, underSwing},
		{"leak, loop between states", 24, true, 0, allDetectors, looping},
		{"leak, three at once", 24, true, 0, allDetectors, several},
	}
}

// soon returns the onset of a leak, within the first hour, so that it has any phase relative to the intervals of the
// detectors.
func soon(r *rand.Rand) float64 { return within(r, 0, hour) }

const leakFunction = "shop/order.notify.func1"

// leakingGroup sends on a channel without a receiver, the most common leak.
func leakingGroup(sources ...source) group { return named(leakFunction, "chan_send", sources...) }

// constant leaks at a constant rate.
func constant(perMinute float64) func(*rand.Rand) trial {
	return func(r *rand.Rand) trial {
		onset := soon(r)
		p := service(r, fresh(), leakingGroup(leaking(between(onset, forever, steady(perMinute)))))
		return leaky(p, onset)
	}
}

// someCalls leaks in 2% of the calls.
func someCalls(r *rand.Rand) trial {
	onset := soon(r)
	load := steady(about(r, 30))
	p := service(r, fresh(), leakingGroup(
		calls(load, memoryless(0.3).atMost(1)),
		leaking(between(onset, forever, load.times(0.02)))))
	return leaky(p, onset)
}

// withLoad leaks in proportion to the load.
func withLoad(r *rand.Rand) trial {
	onset := soon(r)
	load := daily(about(r, 60), 0.8)
	p := service(r, always(), leakingGroup(
		calls(load, memoryless(0.3).atMost(1)),
		leaking(between(onset, forever, load.times(0.02)))))
	return leaky(p, onset)
}

// underErrors leaks while a dependency fails, for a quarter of an hour every few hours.
func underErrors(r *rand.Rand) trial {
	var episodes []load
	onset := soon(r)
	for at := onset; at < 2*day; at += within(r, 2*hour, 4*hour) {
		episodes = append(episodes, between(at, at+within(r, 10, 20), steady(3)))
	}
	p := service(r, fresh(), leakingGroup(leaking(sum(episodes...))))
	return leaky(p, onset)
}

// startingLate starts to leak after a deploy of another service.
func startingLate(r *rand.Rand) trial {
	onset := within(r, 12*hour, 20*hour)
	p := service(r, always(), leakingGroup(
		calls(steady(about(r, 20)), memoryless(0.3).atMost(1)),
		leaking(between(onset, forever, steady(1)))))
	return leaky(p, onset)
}

// restarted leaks in a process that is restarted every eight hours because of the leak.
func restarted(r *rand.Rand) trial {
	onset := soon(r)
	lives := every(8*hour, 32*hour)
	p := service(r, lives, leakingGroup(leaking(between(onset, forever, steady(1)))))
	return leaky(p, onset)
}

// every returns consecutive lives of equal length.
func every(length, until float64) []life {
	var lives []life
	for at := 0.0; at < until; at += length {
		lives = append(lives, life{at, at + length})
	}
	return lives
}

// oneReplica leaks in one of ten replicas.
func oneReplica(r *rand.Rand) trial {
	const replicas = 10
	onset, bad := soon(r), r.IntN(replicas)
	var t trial
	for i := range replicas {
		sources := []source{calls(steady(5), memoryless(0.3).atMost(1))}
		if i == bad {
			sources = append(sources, leaking(between(onset, forever, steady(1))))
		}
		t.processes = append(t.processes, service(r, fresh(), leakingGroup(sources...)))
	}
	t.leaks = []leak{leakOf(t.processes[bad], bad, onset, 0)}
	return t
}

// underSwing leaks slowly among about a hundred healthy calls, ten times as many at noon as at night.
func underSwing(r *rand.Rand) trial {
	onset := soon(r)
	load := daily(about(r, 200), 0.8)
	p := service(r, always(), leakingGroup(
		calls(load, memoryless(0.5).atMost(5)),
		leaking(between(onset, forever, steady(0.2)))))
	return leaky(p, onset)
}

// looping leaks goroutines that loop: their signatures change, their entry does not.
func looping(r *rand.Rand) trial {
	const states = 8
	onset := soon(r)
	entry := "shop/sync.(*Loop).run"
	groups := make([]group, states)
	l := leak{onset: onset, subjects: []string{entry}}
	var visits []int
	for i := range groups {
		groups[i] = group{function: "shop/sync.(*Loop).step" + string(rune('A'+i)), entry: entry, state: "select"}
		l.subjects = append(l.subjects, groups[i].function)
		visits = append(visits, i)
	}
	src := leaking(between(onset, forever, steady(0.5)))
	src.visits = visits
	groups[0].sources = []source{src}
	l.groups = []int{0} // the group in which they start has the ground truth
	return trial{processes: []process{service(r, fresh(), groups...)}, leaks: []leak{l}}
}

// several leaks in three places at different rates.
func several(r *rand.Rand) trial {
	var groups []group
	var onsets []float64
	for i, perMinute := range []float64{0.5, 1, 5} {
		onsets = append(onsets, soon(r))
		function := "shop/order.step" + string(rune('A'+i)) + ".func1"
		groups = append(groups, named(function, "chan_receive",
			leaking(between(onsets[i], forever, steady(perMinute)))))
	}
	p := service(r, fresh(), groups...)
	t := trial{processes: []process{p}}
	for i, onset := range onsets {
		t.leaks = append(t.leaks, leakOf(p, 0, onset, i))
	}
	return t
}

package main

import (
	"math"
	"math/rand/v2"
)

// leakWatchedFamilies are leaks in processes that existed before the watching, that are not watched all the time, or
// that do not live for long.
func leakWatchedFamilies() []family {
	return []family{
		{"leak, beside residents", 48, true, 0, allDetectors, besideResidents},
		{"leak, the collector comes late", 24, true, 0, allDetectors, seenLate},
		{"leak, the collector restarts", 24, true, 0, allDetectors, watcherRestarts},
		{"leak, the collector loses an hour", 24, true, 0, allDetectors, hourLost},
		{"leak, a restart every few hours", 48, true, 0, allDetectors, restartedOften},
		{twentyFamily, 36, true, 0, allDetectors, twentyReplicas},
	}
}

// residents returns a random number of goroutines that existed before the watching: 20 to 10,000, log-uniform.
func residents(r *rand.Rand) int { return int(20 * math.Pow(500, r.Float64())) }

// besideResidents leaks 6 to 60 an hour at a line where other goroutines stay, as idle connections of an HTTP server
// do.
func besideResidents(r *rand.Rand) trial {
	onset := soon(r)
	p := service(r, always(), sessionGroup(
		resident(residents(r)),
		leaking(between(onset, forever, steady(0.1*math.Pow(10, r.Float64()))))))
	return leaky(p, onset)
}

// seenLate has leaked for hours before the watching. Goroutines from before cannot be distinguished from residents, so
// the onset is the start of the watching.
func seenLate(r *rand.Rand) trial {
	begin := -within(r, hour, 12*hour)
	p := service(r, []life{{begin, forever}}, leakingGroup(
		source{arrivals: poisson(between(begin, 0, steady(1))), lifetime: never},
		leaking(between(0, forever, steady(1)))))
	return leaky(p, 0)
}

// watcherRestarts has a collector that restarts about four times a day.
func watcherRestarts(r *rand.Rand) trial {
	onset := soon(r)
	p := service(r, always(), leakingGroup(
		resident(residents(r)), leaking(between(onset, forever, steady(1)))))
	p.rewatched = rewatched(r, day)
	return leaky(p, onset)
}

// rewatched returns random times of restarts of the collector, every three to nine hours.
func rewatched(r *rand.Rand, until float64) []float64 {
	var at []float64
	for t := within(r, 3*hour, 9*hour); t < until; t += within(r, 3*hour, 9*hour) {
		at = append(at, t)
	}
	return at
}

// hourLost lacks data for an hour, two or three times a day.
func hourLost(r *rand.Rand) trial {
	onset := soon(r)
	p := service(r, always(), leakingGroup(
		resident(residents(r)), leaking(between(onset, forever, steady(1)))))
	p.missed = lostHours(r, day)
	t := leaky(p, onset)
	t.leaks[0].unseen = true
	return t
}

// lostHours returns a function that reports whether data is missing: for an hour every eight to twelve hours.
func lostHours(r *rand.Rand, until float64) func(int) bool {
	var gaps [][2]float64
	for t := within(r, hour, 8*hour); t < until; t += within(r, 8*hour, 12*hour) {
		gaps = append(gaps, [2]float64{t, t + hour})
	}
	return func(minute int) bool {
		for _, gap := range gaps {
			if float64(minute) >= gap[0] && float64(minute) < gap[1] {
				return true
			}
		}
		return false
	}
}

// restartedOften leaks in a process that never lives for longer than five hours.
func restartedOften(r *rand.Rand) trial {
	onset := soon(r)
	p := service(r, deployed(r), leakingGroup(leaking(between(onset, forever, steady(1)))))
	return leaky(p, onset)
}

// deployed returns consecutive random lives of three to five hours, for two days.
func deployed(r *rand.Rand) []life {
	var lives []life
	for at := 0.0; at < 2*day; {
		next := at + within(r, 3*hour, 5*hour)
		lives = append(lives, life{at, next})
		at = next
	}
	return lives
}

const twentyFamily = "leak, twenty replicas"

// twentyReplicas leak 1.2 an hour each.
func twentyReplicas(r *rand.Rand) trial {
	var t trial
	for i := range 20 {
		onset := soon(r)
		p := service(r, fresh(), leakingGroup(leaking(between(onset, forever, steady(1.2/hour)))))
		l := leakOf(p, i, onset, 0)
		l.replica = true
		t.processes = append(t.processes, p)
		t.leaks = append(t.leaks, l)
	}
	return t
}

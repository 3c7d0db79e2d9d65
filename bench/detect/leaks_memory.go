package main

import "math/rand/v2"

// memoryMetric is the one that the processor's default configuration watches in a
// process that instruments itself.
const memoryMetric = "go.memory.used"

func memoryLeakFamilies() []family {
	return []family{
		{"leak, memory with goroutines", 24, true, 0, everybody, memoryWithGoroutines},
		{"leak, memory alone", 72, true, 0, everybody, memoryAlone},
	}
}

// memoryWithGoroutines leaks goroutines that hold half a megabyte each. It is one
// leak, whether the goroutines or the memory are flagged.
func memoryWithGoroutines(r *rand.Rand) trial {
	onset := soon(r)
	p := service(r, fresh(), leakingGroup(leaking(between(onset, forever, steady(1)))))
	p.memory.perGoroutine = mebibyte / 2
	t := leaky(p, onset)
	t.leaks[0].who = append(t.leaks[0].who, memoryMetric)
	return t
}

// memoryAlone leaks what no goroutine holds: a map that only grows.
func memoryAlone(r *rand.Rand) trial {
	onset, perHour := soon(r), within(r, 20, 60)*mebibyte
	p := service(r, fresh())
	p.memory.held = func(t float64) float64 { return perHour / hour * max(0, t-onset) }
	return trial{processes: []process{p}, leaks: []leak{{who: []string{memoryMetric}, onset: onset}}}
}

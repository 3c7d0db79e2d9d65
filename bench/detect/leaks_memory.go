package main

import "math/rand/v2"

// memoryMetric is the memory metric of instrumented processes that the processor watches by default.
const memoryMetric = "go.memory.used"

func memoryLeakFamilies() []family {
	return []family{
		{"leak, memory with goroutines", 24, true, 0, allDetectors, memoryWithGoroutines},
		{"leak, memory alone", 72, true, 0, allDetectors, memoryAlone},
	}
}

// memoryWithGoroutines leaks goroutines that hold 512 KiB each. It counts as one leak, whether the goroutines or the
// memory are flagged.
func memoryWithGoroutines(r *rand.Rand) trial {
	onset := soon(r)
	p := service(r, fresh(), leakingGroup(leaking(between(onset, forever, steady(1)))))
	p.memory.perGoroutine = mebibyte / 2
	t := leaky(p, onset)
	t.leaks[0].subjects = append(t.leaks[0].subjects, memoryMetric)
	return t
}

// memoryAlone leaks memory without goroutines, such as a map that only grows.
func memoryAlone(r *rand.Rand) trial {
	onset, perHour := soon(r), within(r, 20, 60)*mebibyte
	p := service(r, fresh())
	p.memory.held = func(t float64) float64 { return perHour / hour * max(0, t-onset) }
	return trial{processes: []process{p}, leaks: []leak{{subjects: []string{memoryMetric}, onset: onset}}}
}

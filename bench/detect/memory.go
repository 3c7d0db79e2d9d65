package main

import (
	"math"
	"math/rand/v2"
)

const mebibyte = 1 << 20

// memory is the live memory of a process in bytes, and its garbage.
type memory struct {
	// held is the live memory at a time, without base and goroutines.
	held func(t float64) float64
	// perGoroutine is the memory of each goroutine.
	perGoroutine float64
	// slack is the most garbage relative to live memory: 1 at GOGC=100, 0 for none.
	slack float64
}

// base is the live memory of an idle service.
const base = 40 * mebibyte

// play returns go.memory.used at each snapshot. Garbage accumulates unevenly until a collection frees all of it.
func (m memory) play(r *rand.Rand, s *series) []float64 {
	used := make([]float64, len(s.minutes))
	full := r.Float64()
	for i, minute := range s.minutes {
		alive := base + m.perGoroutine*float64(s.total(i))
		if m.held != nil {
			alive += m.held(float64(minute))
		}
		full += 0.3 * r.Float64()
		full -= math.Floor(full)
		used[i] = alive * (1 + m.slack*full)
	}
	return used
}

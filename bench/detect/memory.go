package main

import (
	"math"
	"math/rand/v2"
)

const mebibyte = 1 << 20

// memory is what a process holds, in bytes, the collector's sawtooth aside.
type memory struct {
	// held is what is alive besides a small base, at a time.
	held func(t float64) float64
	// perGoroutine is what each of the process's goroutines holds.
	perGoroutine float64
	// slack is the share of what is alive that garbage adds before the
	// collector takes it: 1 at GOGC=100. 0 makes no sawtooth.
	slack float64
}

// base is what an idle service has alive.
const base = 40 * mebibyte

// play returns go.memory.used at each snapshot. Garbage piles up by a few percent
// of its limit a minute, unevenly, until a collection takes all of it.
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

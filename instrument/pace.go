package instrument

import (
	"math/rand/v2"
	"time"
)

// pace decides when the next sample is due.
type pace struct {
	interval time.Duration // wanted from one sample to the next
	budget   float64       // of one core, the most that sampling may cost
	cost     time.Duration // of a sample, smoothed; 0 before the first
}

// smoothing is the weight of the latest sample in the cost. A quarter lets one
// sample that a busy machine held up pass, and has all but forgotten what the
// process was like ten samples ago.
const smoothing = 0.25

// spend takes in what a sample has cost.
func (p *pace) spend(cost time.Duration) {
	if p.cost == 0 {
		p.cost = cost
		return
	}
	p.cost += time.Duration(smoothing * float64(cost-p.cost))
}

// every returns the time from one sample to the next: the interval that was asked
// for, or, if that would cost more than the budget, as long as it takes to keep
// within it.
func (p *pace) every() time.Duration {
	kept := min(float64(p.cost)/p.budget, float64(maxEvery))
	return min(max(p.interval, time.Duration(kept), minEvery), maxEvery)
}

const (
	// minEvery keeps the ticker from spinning where samples cost nothing,
	// because none are taken.
	minEvery = time.Millisecond
	// maxEvery is so rare that more would tell nothing of a leak in time.
	maxEvery = 24 * time.Hour
)

// jitter is the share of the time to the next sample that is left to chance, so
// that replicas that were started together do not sample together, nor a process
// always in step with its own timers.
const jitter = 0.1

// next returns how long to wait for the next sample: every, give or take half of
// the jitter.
func (p *pace) next() time.Duration {
	return time.Duration(float64(p.every()) * (1 - jitter/2 + jitter*rand.Float64()))
}

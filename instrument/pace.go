package instrument

import (
	"math/rand/v2"
	"time"
)

// pace decides when the next sample is due.
type pace struct {
	interval time.Duration // configured time between two samples
	budget   float64       // most CPU time of sampling, as a share of one core
	cost     time.Duration // smoothed CPU time of a sample; 0 before the first
}

// smoothing is the weight of the latest sample in the cost. With a quarter, a single sample on a
// busy machine has little effect, and samples from ten samples ago have almost none.
const smoothing = 0.25

// spend adds the cost of a sample.
func (p *pace) spend(cost time.Duration) {
	if p.cost == 0 {
		p.cost = cost
		return
	}
	p.cost += time.Duration(smoothing * float64(cost-p.cost))
}

// every returns the time between two samples: the configured interval, or longer if sampling would
// exceed the budget.
func (p *pace) every() time.Duration {
	kept := min(float64(p.cost)/p.budget, float64(maxEvery))
	return min(max(p.interval, time.Duration(kept), minEvery), maxEvery)
}

const (
	// minEvery keeps the timer from spinning if samples cost nothing, because none are taken.
	minEvery = time.Millisecond
	// maxEvery is the longest time: rarer samples would be too late to show a leak.
	maxEvery = 24 * time.Hour
)

// jitter is the random share of the time to the next sample, so that replicas that were started
// together do not sample together, and a process does not sample in step with its own timers.
const jitter = 0.1

// next returns how long to wait for the next sample: every, plus or minus half of the jitter.
func (p *pace) next() time.Duration {
	return time.Duration(float64(p.every()) * (1 - jitter/2 + jitter*rand.Float64()))
}

package growth

import (
	"math"
	"time"
)

// The error probabilities with which the exit rate must be below 1/MaxLifetime: each severity admits
// one false alarm in 1/alpha populations whose mean lifetime is exactly MaxLifetime, and fewer if
// it is shorter.
const (
	probableAlpha  = 0.001
	suspectedAlpha = 0.05
)

// decayLifetimes is the time constant, in MaxLifetimes, with which exits and hours decay. Exits from
// much longer ago are irrelevant, but the hours of a slow leak must not be lost, or it would be
// found late.
const decayLifetimes = 3

// lifetime is the evidence of how long aged goroutines live: exits, and hours of observation.
type lifetime struct {
	exits float64 // decays exponentially
	hours float32 // aged-goroutine-hours, decays likewise

	at          int64   // latest observation with a census, Unix ns
	seenExits   float64 // counter at that time
	aged        float32 // at that time
	exitsInLife float32 // in this life of the process
	known       bool    // whether that was in this process and by this watcher
}

// restart forgets the counter of the former process or watcher. Goroutines that ended with their
// process are not exits.
func (l *lifetime) restart() { l.known = false }

// observe adds the interval since the previous observation. The lower of the aged counts at both ends
// existed throughout the interval. Residents do not count: the hours of a pool that never exits
// would hide the exits of sessions with the same signature.
func (l *lifetime) observe(r *Rules, o Observation, base float64, now int64) {
	if l.known {
		constant := decayLifetimes * r.MaxLifetime.Hours()
		lost := -math.Expm1(-time.Duration(now-l.at).Hours() / constant)
		left := max(0, o.Exits-l.seenExits)
		l.exits += left - l.exits*lost
		l.exitsInLife += float32(left)
		// The hours decay within the interval too.
		gathered := constant * max(0, min(float64(l.aged), o.Aged)-base)
		l.hours += float32((gathered - float64(l.hours)) * lost)
	}
	l.at, l.seenExits, l.aged, l.known = now, o.Exits, float32(o.Aged), true
}

// exceeds reports whether the mean lifetime of goroutines observed for the given hours exceeds
// lifetime, with confidence 1 - alpha: if it were lifetime, so few exits would have a probability
// of at most alpha. Exits of goroutines with mean lifetime T are a Poisson process of rate 1/T a
// goroutine; without any exit the condition is exp(-hours/T) <= alpha.
func (l *lifetime) exceeds(lifetime time.Duration, hours, alpha float64) bool {
	return poissonCDF(l.exits, hours/lifetime.Hours()) <= alpha
}

// manyExits is the number of events above which the normal distribution, with continuity correction,
// replaces the sum. The number of relevant terms grows with the square root of k, which the
// sender of the data chooses. At that size both differ by less than a hundredth of the value if it
// is above 1e-4.
const manyExits = 1e6

// poissonCDF returns the probability of at most k events if mean are expected. For k >= mean it returns
// 1: the result is only compared with probabilities far below one half.
//
// For a fractional k, from decay, it interpolates between the integers around it. When k was rounded up,
// an exit of last week weighed as much as one of today: a level with a single exit needed a third more
// hours for ever. A leak in 5% of websockets was probable half an hour later, and no healthy case of the
// detection table was spared by it.
func poissonCDF(k, mean float64) float64 {
	whole, part := math.Modf(k)
	if part == 0 || whole+1 >= mean {
		return wholePoissonCDF(math.Ceil(k), mean)
	}
	return (1-part)*wholePoissonCDF(whole, mean) + part*wholePoissonCDF(whole+1, mean)
}

// wholePoissonCDF is poissonCDF for an integer k.
//
// The terms are summed downwards from k, until they are negligible. Each is the previous one times
// i/mean, which is below 1.
func wholePoissonCDF(k, mean float64) float64 {
	if k >= mean {
		return 1
	}
	if k == 0 {
		return math.Exp(-mean)
	}
	if k > manyExits {
		return math.Erfc((mean-k-0.5)/math.Sqrt(2*mean)) / 2
	}
	logGamma, _ := math.Lgamma(k + 1)
	term := math.Exp(k*math.Log(mean) - mean - logGamma)
	sum := 0.0
	for i := k; i >= 0 && term > sum*1e-12; i-- {
		sum += term
		term *= i / mean
	}
	return sum
}

package growth

import (
	"math"
	"time"
)

// The confidence with which an exit rate must lie below one a MaxLifetime. Each
// severity asks for less than one false alarm in 1/alpha populations whose mean
// lifetime is exactly MaxLifetime; shorter-lived ones are further off.
const (
	probableAlpha  = 0.001
	suspectedAlpha = 0.05
)

// forgetting is for how many MaxLifetimes exits and hours are remembered (as time
// constant). What left much longer ago says nothing of those that are here; but the
// hours that a slow leak gathers meanwhile must not be lost, or it is found late.
const forgetting = 3

// lifetime is what has been seen of how long aged goroutines stay: exits over
// the time that they were watched.
type lifetime struct {
	exits float64 // forgotten exponentially
	hours float32 // aged-goroutine-hours, forgotten likewise

	at        int64   // of the latest observation with a census, Unix ns
	seenExits float64 // the counter at that time
	aged      float32 // at that time
	left      float32 // exits in this life of the process
	known     bool    // whether that was in this process
}

// restart forgets the counter of a process that is gone, or of a watcher. The goroutines
// of a process that is gone did not leave by themselves, so they are no exits.
func (l *lifetime) restart() { l.known = false }

// observe adds what was seen since the observation before. Of the two aged counts
// at the ends of the interval the lower one was there for all of it, less those
// that were there from the beginning: a pool that never exits says nothing of the
// sessions that share its group. Its hours would hide that they leave.
func (l *lifetime) observe(r *Rules, o Observation, base float64, now int64) {
	if l.known {
		constant := forgetting * r.MaxLifetime.Hours()
		lost := -math.Expm1(-time.Duration(now-l.at).Hours() / constant)
		left := max(0, o.Exits-l.seenExits)
		l.exits += left - l.exits*lost
		l.left += float32(left)
		// The hours of the interval are forgotten as they are gathered.
		gathered := constant * max(0, min(float64(l.aged), o.Aged)-base)
		l.hours += float32((gathered - float64(l.hours)) * lost)
	}
	l.at, l.seenExits, l.aged, l.known = now, o.Exits, float32(o.Aged), true
}

// exceeds tells whether the mean lifetime of those who were watched for so many hours
// exceeds lifetime, with confidence 1 - alpha: were it lifetime, then as few exits as
// were seen of all, or fewer, would have a probability of at most alpha. Exits of
// goroutines with a mean lifetime T are a Poisson process of rate 1/T a goroutine; with no
// exit at all this is exp(-hours/T) <= alpha.
func (l *lifetime) exceeds(lifetime time.Duration, hours, alpha float64) bool {
	return poissonCDF(l.exits, hours/lifetime.Hours()) <= alpha
}

// manyExits is from where on the normal distribution, with a correction for continuity,
// takes the place of the sum. The terms of the sum that count are as many as the square
// root of k, and whoever sends data chooses k. At that size the two differ by less than
// a hundredth of the value, wherever that is above 1e-4.
const manyExits = 1e6

// poissonCDF returns the probability of at most k events where mean are expected.
// A k between two integers, as forgetting makes it, is rounded up, which errs
// on the side of no alarm. From the mean upwards it returns 1: the value is only
// compared with probabilities far below the half.
//
// The terms are summed downwards from k, each being the one before times i/mean,
// which is below 1; they are done when they no longer count.
func poissonCDF(k, mean float64) float64 {
	k = math.Ceil(k)
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

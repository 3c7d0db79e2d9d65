package main

import (
	"math"
	"time"
)

// The oracle knows the goroutines of a leak, when each started, and that they either never exit or have a mean lifetime
// of exactly max_lifetime, T. It decides by Wald's sequential probability ratio test: as none of them exits, the
// likelihood ratio grows by the factor e for each T of their total time, and the test decides at 1/alpha. No test with
// the same error rate decides earlier on average, so this is the limit. Unlike the oracle, the detector does not know
// which goroutines leak, sees their ages only from agedAfter on, and waits for min_duration.

// alpha is that of severity probable (internal/growth).
const alpha = 0.001

// evidence returns the total time of leaked goroutines, in goroutine-minutes, at which the test decides.
func evidence(maxLifetime time.Duration) float64 {
	return math.Log(1/alpha) * maxLifetime.Minutes()
}

// oracle returns the minutes from the onset of a leak in some processes until the test decides, or notFound if the run
// ends before.
func oracle(l leak, all []*series, maxLifetime time.Duration) float64 {
	if len(l.groups) == 0 {
		return notFound
	}
	lived := 0.0
	for m := range all[0].leaked[l.groups[0]] {
		for _, s := range all {
			for _, g := range l.groups {
				lived += s.leaked[g][m]
			}
		}
		if lived >= evidence(maxLifetime) {
			return float64(m+1) - l.onset
		}
	}
	return notFound
}

// Other conditions of the rules (the defaults of the processor).
const (
	minDuration = 30
	minLeaked   = 10
)

// formula returns the minutes until the leak must be probable by the design, without agedAfter: when the expected leaked
// goroutines have the total time of evidence, after min_duration, and are at least min_leaked. For a constant leak of r
// an hour the first is sqrt(2 ln(1/alpha) max_lifetime / r). It returns notFound for a leak that pauses, since the
// three required steps depend on the pauses; for one among healthy goroutines, since it assumes no exits; and for one
// that is not watched all the time.
func formula(l leak, p process, minutes int, maxLifetime time.Duration) float64 {
	if l.mixed || l.bursts || l.unseen {
		return notFound
	}
	lived, alive := 0.0, 0.0
	next := 0 // life
	for m := range minutes {
		for next < len(p.lives) && float64(m) >= p.lives[next].begin {
			alive = 0
			next++
		}
		after := float64(m+1) - l.onset
		arriving := l.rate(p, float64(m))
		if after > 1 && arriving == 0 {
			return notFound
		}
		alive += arriving
		lived += alive
		if lived >= evidence(maxLifetime) && alive >= minLeaked && after >= minDuration {
			return after
		}
	}
	return notFound
}

// rate returns the expected number of goroutines that leak in the minute from t.
func (l leak) rate(p process, t float64) float64 {
	total := 0.0
	for _, g := range l.groups {
		for _, src := range p.groups[g].sources {
			if src.leaks {
				total += src.mean(t)
			}
		}
	}
	return total
}

package main

import (
	"math"
	"time"
)

// The oracle is told which goroutines the leak begot, when each was born, and that
// they will either never end or have a mean lifetime of exactly max_lifetime, T.
// It asks Wald's sequential probability ratio test which: as none of them ends,
// the ratio of the two likelihoods grows by the factor e for each T that they have
// lived together, and at 1/alpha it decides. No test that errs as rarely decides
// sooner on average, so this is the limit. What ours has not got is the knowledge
// which goroutines those are, of each its age before agedAfter, and the patience
// of min_duration.

// alpha is that of severity probable (internal/growth).
const alpha = 0.001

// evidence is how long leaked goroutines must have lived together, in
// goroutine-minutes, for the test to decide.
func evidence(maxLifetime time.Duration) float64 {
	return math.Log(1/alpha) * maxLifetime.Minutes()
}

// oracle returns how many minutes after the onset of a leak in some processes the test
// decides; notFound if the run ends before.
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

// What the rules ask for beside the evidence (the defaults of the processor).
const (
	minDuration = 30
	minLeaked   = 10
)

// formula returns after how many minutes the leak must be probable by the design,
// agedAfter aside: when as many as are expected to have leaked have lived for the
// evidence together, and for min_duration, and are min_leaked. For a steady leak
// of r an hour the first is sqrt(2 ln(1/alpha) max_lifetime / r). It is notFound of
// a leak that pauses, about which the formula says nothing: how long the three
// steps take that the design asks for is up to the pauses. Nor does it of one among
// others who leave, since it is for no exits, or of one that is not watched all the time.
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

// rate returns how many goroutines are expected to leak in the minute from t on.
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

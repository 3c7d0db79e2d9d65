package growth

import (
	"math"
	"time"
)

// A leak keeps its pace. Arrivals in a pool or a population of sessions become rarer, since each
// arrival is one less to come. Over the whole growth that is visible earlier than within a
// horizon (cohort.go).

// trend is Laplace's test for a trend in a Poisson process, applied to counts: if n arrivals come at
// an even pace, the mean of their times is normally distributed around the middle, with the
// variance of a single time divided by n. It is the most powerful test against an exponentially
// falling pace (Cox and Lewis, The Statistical Analysis of Series of Events, 1966, chapter 3).
// Trends of several lives of a process can be added.
type trend struct {
	deviation float32 // sum of the differences between arrival times and the middle; hours
	variance  float32 // variance of deviation at an even pace; square hours
}

// arrivals are the arrivals between the knots of a trend.
type arrivals struct {
	n        float64
	hours    float64 // from the first knot to the last
	steps    float64 // intervals with arrivals
	expected float64 // expected number of such intervals for n independent arrivals
}

// trendOf returns the trend of the arrivals between knots, latest first. The time of an arrival is
// known only to be between two knots.
func trendOf(knots []knot, segment time.Duration) (trend, arrivals) {
	last, first := knots[0], knots[len(knots)-1]
	whole := last.at - first.at
	n := last.level - first.level
	if n <= 0 || whole <= 0 {
		return trend{}, arrivals{}
	}
	var mean, square float64 // moments of a time at an even pace
	var times float64        // sum of the arrival times
	var steps, expected float64
	for i := 1; i < len(knots); i++ {
		b, a := knots[i-1], knots[i]
		middle, share := (a.at+b.at)/2-first.at, (b.at-a.at)/whole
		mean += share * middle
		square += share * middle * middle
		times += (b.level - a.level) * middle
		expected += 1 - math.Exp(-n*share)
		if b.level > a.level {
			steps++
		}
	}
	unit := segment.Hours()
	variance := n * max(0, square-mean*mean) * unit * unit
	return trend{float32((times - n*mean) * unit), float32(variance)}, arrivals{n, whole * unit, steps, expected}
}

// inBursts reports whether the arrivals come in bursts.
func (a arrivals) inBursts() bool { return a.steps < 0.5*a.expected }

// evenly reports whether the arrivals are spread over all intervals.
func (a arrivals) evenly() bool { return a.steps >= 0.8*a.expected }

func (t trend) plus(other trend) trend {
	return trend{t.deviation + other.deviation, t.variance + other.variance}
}

// earlier reports whether the arrivals are early by more than the given number of standard deviations.
func (t trend) earlier(deviations float64) bool {
	return float64(t.deviation) < -deviations*math.Sqrt(float64(t.variance))
}

// slows reports whether growth over a horizon has slowed down by more than chance. knots are latest
// first.
//
// A burst counts as one arrival: twenty in the same minute each night tell twenty times less about
// the pace than twenty single ones. But within a day bursts may be the scale-out of a fleet.
func (e *Evidence) slows(r *Rules, knots []knot, found rise, severity Severity) bool {
	t, a := trendOf(withoutFirstSteps(knots), segment(r))
	if found.horizon >= dailyCycle && a.inBursts() {
		t.variance *= float32(a.n / a.steps)
	}
	deviations := slownessProbable
	if severity == Suspected {
		deviations = slownessSuspected
	}
	return a.n <= 0 || t.earlier(deviations) && float64(t.deviation) < -unevenness*a.n*a.hours
}

// lateGrowth returns the knots of the last three quarters of the time since from, latest first.
func lateGrowth(knots []knot, from float64) []knot {
	begin := from + (knots[0].at-from)/4
	n := 1
	for n < len(knots) && knots[n].at >= begin {
		n++
	}
	return knots[:n]
}

// lateShare is the share of MaxLifetime after which late growth is assessed by itself. Before that it
// is unknown whether it goes on: workers for rarely requested keys start at an even pace for hours,
// and among many instances that always seems to happen in one.
func lateShare(o *Observation) float64 {
	if o.replicated() {
		return 1
	}
	return 0.6
}

// keepsPace reports whether late growth is even and accelerates: by half a standard deviation, or by
// one if there are many instances to choose from. Without a deviation one more of fifty services
// with lazily started workers was flagged; waiting for the whole MaxLifetime avoided that too, but
// then leaks beside pools were found after 12 h 19 instead of 7 h 54.
func keepsPace(r *Rules, o *Observation, knots []knot) bool {
	t, a := trendOf(knots, segment(r))
	least := 0.5
	if o.replicated() {
		least = 1
	}
	return a.n >= minLateArrivals && float64(t.deviation) >= least*math.Sqrt(float64(t.variance)) && a.evenly()
}

// withoutFirstSteps removes the earliest knots, up to startShare of the growth, since it is not known
// when the growth began between them.
func withoutFirstSteps(knots []knot) []knot {
	n := len(knots)
	base := knots[n-1].level
	for n > 1 && knots[n-2].level-base <= startShare*(knots[0].level-base) {
		n--
	}
	return knots[:n]
}

// startShare is the share of growth that counts as its start.
const startShare = 0.1

// How early the mean arrival time must be: in standard deviations, and as a share of the whole time.
// One deviation delays one leak of six by a few minutes, and stops nine pools of ten for good,
// since by then they are fuller. The share keeps a leak of thousands from being delayed for a
// trend that is significant but negligible; a pace that falls by a sixth reaches it.
const (
	slownessProbable  = 1.05
	slownessSuspected = 0.5
	unevenness        = 0.015
)

// minLateArrivals is how many arrivals late growth must have.
const minLateArrivals = 90

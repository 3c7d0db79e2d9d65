package growth

import (
	"math"
	"time"
)

// A leak keeps pace. What fills a pool, or a population of sessions, arrives ever more
// rarely, because each that is there already is one less to come. Over the whole of
// its growth that shows sooner than within a horizon (cohort.go).

// trend is Laplace's test for a trend in a Poisson process, on counts: if n arrivals come
// at an even pace, the mean of their times is normally distributed around the middle,
// with the variance of one of them over n. It is the most powerful test against a pace
// that falls exponentially (Cox and Lewis, The Statistical Analysis of Series of Events,
// 1966, chapter 3). Trends of several lives of a process can be added.
type trend struct {
	deviation float32 // of the arrivals' times from the middle, summed up; hours
	variance  float32 // of that at an even pace; square hours
}

// arrivals are those between the knots of a trend.
type arrivals struct {
	n        float64
	hours    float64 // from the first knot to the last
	steps    float64 // intervals between knots in which there are any
	expected float64 // as many intervals as n independent arrivals would reach
}

// trendOf returns the trend of the arrivals between the knots, the latest first. Of those
// between two knots no more is known than that.
func trendOf(knots []knot, segment time.Duration) (trend, arrivals) {
	last, first := knots[0], knots[len(knots)-1]
	whole := last.at - first.at
	n := last.level - first.level
	if n <= 0 || whole <= 0 {
		return trend{}, arrivals{}
	}
	var mean, square float64 // of a time at an even pace
	var times float64        // of the arrivals
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

// inBursts tells whether they come in bursts.
func (a arrivals) inBursts() bool { return a.steps < 0.5*a.expected }

// evenly tells whether they come at all times.
func (a arrivals) evenly() bool { return a.steps >= 0.8*a.expected }

func (t trend) plus(other trend) trend {
	return trend{t.deviation + other.deviation, t.variance + other.variance}
}

// earlier tells whether the arrivals come too early by more than so many standard
// deviations.
func (t trend) earlier(deviations float64) bool {
	return float64(t.deviation) < -deviations*math.Sqrt(float64(t.variance))
}

// slows tells whether a growth over a horizon has slowed down by more than chance. The
// latest level comes first.
//
// Those who come in one burst are one arrival: twenty in the same minute each night say
// twenty times less of their pace than twenty by themselves. Within a day, though, bursts
// are what scaling a fleet out looks like.
func (e *Evidence) slows(r *Rules, knots []knot, found rise, severity Severity) bool {
	t, a := trendOf(withoutFirstSteps(knots), segment(r))
	if found.horizon >= cycle && a.inBursts() {
		t.variance *= float32(a.n / a.steps)
	}
	deviations := slowness
	if severity == Suspected {
		deviations = slownessSuspected
	}
	return a.n <= 0 || t.earlier(deviations) && float64(t.deviation) < -unevenness*a.n*a.hours
}

// lateGrowth returns the levels of the later three quarters of the time in which there
// can be growth, the latest first.
func lateGrowth(knots []knot, from float64) []knot {
	begin := from + (knots[0].at-from)/4
	n := 1
	for n < len(knots) && knots[n].at >= begin {
		n++
	}
	return knots[:n]
}

// lateAfter is after how much of MaxLifetime late growth is judged by itself. Before, it
// cannot be told whether it will go on: keys that are asked for rarely come at an even pace
// for hours. Of many instances there is always one in which they seem to.
func lateAfter(o *Observation) float64 {
	if o.replicated() {
		return 1
	}
	return 0.6
}

// keepsPace tells whether late growth goes on evenly and has come to grow faster: by half a
// standard deviation, and by one where there are many instances to choose from. Without
// any deviation one more of fifty services with lazily started keys was accused; that was
// also cured by waiting for all of MaxLifetime, but then leaks beside pools were found after
// 12 h 19 in place of 7 h 54.
func keepsPace(r *Rules, o *Observation, knots []knot) bool {
	t, a := trendOf(knots, segment(r))
	least := 0.5
	if o.replicated() {
		least = 1
	}
	return a.n >= enough && float64(t.deviation) >= least*math.Sqrt(float64(t.variance)) && a.evenly()
}

// withoutFirstSteps leaves out the earliest levels, in which the growth has only just begun: at
// what time between them is not known.
func withoutFirstSteps(knots []knot) []knot {
	n := len(knots)
	base := knots[n-1].level
	for n > 1 && knots[n-2].level-base <= begun*(knots[0].level-base) {
		n--
	}
	return knots[:n]
}

// begun is the share of a growth up to which it has only just begun.
const begun = 0.1

// By how much the mean time of the arrivals must come too early: in standard
// deviations, and as a share of the whole time. One deviation holds up one leak of six
// when it would be found, for a few minutes, and nine pools of ten for good: by the
// time that they would be believed they are fuller. The share keeps a leak of thousands
// from being held up for what is more than chance, and yet nothing: it is reached by a
// pace that falls by a sixth.
const (
	slowness          = 1.05
	slownessSuspected = 0.5
	unevenness        = 0.015
)

const enough = 90

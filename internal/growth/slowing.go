package growth

import (
	"math"
	"slices"
)

// A leak keeps pace. What fills a pool, or a population of sessions, arrives ever more
// rarely, because each that is there already is one less to come. Over the whole of
// its growth that shows sooner than within a horizon.

// knot is a level at a time.
type knot struct {
	at    float64 // in segments of the shortest horizon
	level float64
}

// slowing tells whether the growth since its beginning has slowed down by more than
// chance. The beginning is where the level last stood at base, give or take a tenth of
// what has grown since.
func (f *floors) slowing(base float64) bool {
	knots := f.history()
	now := knots[len(knots)-1]
	begin := len(knots) - 1
	for begin > 0 && knots[begin].level-base > beginning*(now.level-base) {
		begin--
	}
	return slows(knots[begin:])
}

// beginning is the share of what has grown that may be there at the beginning.
const beginning = 0.1

// history returns the levels that are known, the latest last: those of each horizon as
// far back as it reaches. A floor is the level at the begin of its segment, if it only
// rises.
func (f *floors) history() []knot {
	now := float64(f.closed)
	knots := []knot{{now, float64(f.current)}}
	oldest := now
	for i := range f.scales {
		length := float64(int(1) << i)
		end := math.Floor(now/length) * length
		for k := range min(int(f.closed>>i), segments) {
			if at := end - float64(k+1)*length; at < oldest {
				oldest = at
				knots = append(knots, knot{at, float64(f.scales[i][segments-1-k])})
			}
		}
	}
	slices.Reverse(knots)
	return knots
}

// slows is Laplace's test for a trend in a Poisson process, on counts: if n arrivals
// come at an even pace, the mean of their times is normally distributed around the
// middle, with the variance of one of them over n. It is the most powerful test
// against a pace that falls exponentially (Cox and Lewis, The Statistical Analysis of
// Series of Events, 1966, chapter 3). Of those that came between two knots no more is
// known than that.
func slows(knots []knot) bool {
	first, last := knots[0], knots[len(knots)-1]
	whole := last.at - first.at
	n := last.level - first.level
	if n <= 0 {
		return true
	}
	var mean, square float64 // of a time at an even pace
	var times float64        // of the arrivals
	for i := 1; i < len(knots); i++ {
		a, b := knots[i-1], knots[i]
		middle, share := (a.at+b.at)/2-first.at, (b.at-a.at)/whole
		mean += share * middle
		square += share * middle * middle
		times += (b.level - a.level) * middle
	}
	deviation := math.Sqrt((square - mean*mean) / n)
	return times/n < mean-max(slowness*deviation, unevenness*whole)
}

// By how much the mean time of the arrivals must come too early: in standard
// deviations, and as a share of the whole time. One deviation holds up one leak of six
// when it would be found, for a few minutes, and nine pools of ten for good: by the
// time that they would be believed they are fuller. The share keeps a leak of thousands
// from being held up for what is more than chance, and yet nothing: it is reached by a
// pace that falls by a sixth.
const (
	slowness   = 1.0
	unevenness = 0.015
)

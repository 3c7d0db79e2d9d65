package growth

import "math"

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
	var room [maxKnots]knot
	knots := f.history(room[:0])
	grown := knots[0].level - base
	n := 1
	for n < len(knots) && knots[n-1].level-base > beginning*grown {
		n++
	}
	return slows(knots[:n])
}

// beginning is the share of what has grown that may be there at the beginning.
const beginning = 0.1

// maxKnots is how many levels there are at most: those of the shortest horizon, half as
// many of each longer one, and the present.
const maxKnots = segments + (horizons-1)*(segments/2+1) + 1

// history appends the levels that are known, the latest first: those of each horizon as
// far back as it reaches. A floor is the level at the begin of its segment, if it only
// rises.
func (f *floors) history(knots []knot) []knot {
	oldest := int(f.closed)
	knots = append(knots, knot{float64(oldest), float64(f.current)})
	for i := range f.scales {
		known := min(int(f.closed>>i), segments)
		end := int(f.closed >> i << i)
		for k := range known {
			if at := end - (k+1)<<i; at < oldest {
				oldest = at
				knots = append(knots, knot{float64(at), float64(f.scales[i][segments-1-k])})
			}
		}
	}
	return knots
}

// slows is Laplace's test for a trend in a Poisson process, on counts: if n arrivals
// come at an even pace, the mean of their times is normally distributed around the
// middle, with the variance of one of them over n. It is the most powerful test
// against a pace that falls exponentially (Cox and Lewis, The Statistical Analysis of
// Series of Events, 1966, chapter 3). Of those that came between two knots no more is
// known than that. The latest knot comes first.
func slows(knots []knot) bool {
	last, first := knots[0], knots[len(knots)-1]
	whole := last.at - first.at
	n := last.level - first.level
	if n <= 0 {
		return true
	}
	var mean, square float64 // of a time at an even pace
	var times float64        // of the arrivals
	for i := 1; i < len(knots); i++ {
		b, a := knots[i-1], knots[i]
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

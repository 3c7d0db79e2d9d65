package growth

import (
	"math"
	"time"
)

// memory is the time constant with which a past peak is forgotten, and outgrow by
// how much a population must exceed what is left of it. Days of the same service
// differ by some percent; after a weekend a Friday's peak still stands at 1.13
// times itself, after a week without its like at its own height.
const (
	memory  = 30 * 24 * time.Hour
	outgrow = 1.25
)

// cycle is the horizon from which on growth speaks for itself: it holds a whole
// day, and nothing that follows the daily swing rises for so long.
const cycle = 24 * time.Hour

// population is how large a level is and was. What has been seen to empty by
// itself is known to be able to, and so must outgrow its past before it is
// flagged: sessions of nearly equal length show no exit for hours each morning,
// but they were gone the evening before.
type population struct {
	level float32 // now
	base  float32 // those of the beginning that have stayed ever since
	peak  float32 // highest since it was last seen to empty
	past  float32 // how high a peak was before the level emptied; forgotten slowly
	begun bool    // the level has been above 0
}

// begin notes how many there were when the watching began, aged or not.
func (p *population) begin(residents float64) {
	p.base, p.begun = float32(residents), false
}

// observe adds a level, elapsed after the one before.
//
// Nobody is aged when the watching begins. The residents who stay become so all at
// once: they are the first level above 0, as far as there were that many.
func (p *population) observe(r *Rules, level float64, census bool, elapsed time.Duration) {
	l := float32(level)
	if p.past > 0 {
		p.past *= float32(math.Exp(-float64(elapsed) / float64(memory)))
	}
	p.level = l
	if !p.begun {
		p.peak, p.begun = l, l > 0
	}
	if p.begun {
		p.base = min(p.base, l)
	}
	p.peak = max(p.peak, l)
	if emptied := p.peak - p.base; float64(emptied) >= r.MinLeaked && l-p.base <= emptied/2 {
		p.past = max(p.past, p.height(p.peak, census))
		p.peak = l
	}
}

// outgrown tells whether growth over horizon is more than the population's return to
// where it has been before.
func (p *population) outgrown(horizon time.Duration, census bool) bool {
	return horizon >= cycle || p.height(p.level, census) > outgrow*p.past
}

// height is how much of a level comes and goes. With a census those are known who have
// stayed from the beginning; a count wavers with all of its size.
func (p *population) height(level float32, census bool) float32 {
	if census {
		return level - p.base
	}
	return level
}

// grown returns by how much the level exceeds the base.
func (p *population) grown() float64 { return max(0, float64(p.level-p.base)) }

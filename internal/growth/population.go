package growth

import (
	"math"
	"time"
)

// peakDecay is the time constant with which a past peak decays, and outgrowFactor by how much a
// population must exceed the rest of it. Days of a service differ by some percent: after a weekend
// the threshold from Friday's peak is still 1.13 times the peak, after a week without such a peak
// it is the peak itself.
const (
	peakDecay     = 30 * 24 * time.Hour
	outgrowFactor = 1.25
)

// dailyCycle is the horizon from which growth counts regardless of past peaks: nothing that follows
// a daily cycle rises for that long.
const dailyCycle = 24 * time.Hour

// population is the present and past size of a level. A population that has been seen to empty by
// itself must outgrow its past before it is flagged: sessions of nearly equal length have no exits
// for hours each morning, but they were gone the evening before.
type population struct {
	level   float32 // now
	base    float32 // residents that still exist
	peak    float32 // highest level since it last emptied
	past    float32 // peak before the level emptied; decays slowly
	started bool    // the level has been above 0
}

// begin sets the number of residents, aged or not.
func (p *population) begin(residents float64) {
	p.base, p.started = float32(residents), false
}

// observe adds a level, elapsed after the previous one.
//
// At the first observation no goroutine is aged. The residents become aged all at once: they are the
// first level above 0, up to their number.
func (p *population) observe(r *Rules, level float64, census bool, elapsed time.Duration) {
	l := float32(level)
	if p.past > 0 {
		p.past *= float32(math.Exp(-float64(elapsed) / float64(peakDecay)))
	}
	p.level = l
	if !p.started {
		p.peak, p.started = l, l > 0
	}
	if p.started {
		p.base = min(p.base, l)
	}
	p.peak = max(p.peak, l)
	if emptied := p.peak - p.base; float64(emptied) >= r.MinLeaked && l-p.base <= emptied/2 {
		p.past = max(p.past, p.height(p.peak, census))
		p.peak = l
	}
}

// outgrown reports whether growth over horizon is more than a return to a past size.
func (p *population) outgrown(horizon time.Duration, census bool) bool {
	return horizon >= dailyCycle || p.height(p.level, census) > outgrowFactor*p.past
}

// height is the variable part of a level. With a census that excludes the residents; a count varies
// with its whole size.
func (p *population) height(level float32, census bool) float32 {
	if census {
		return level - p.base
	}
	return level
}

// grown returns by how much the level exceeds the base.
func (p *population) grown() float64 { return max(0, float64(p.level-p.base)) }

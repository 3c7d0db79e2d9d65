package finding

import (
	"math"
	"time"
)

// pace is how fast the goroutines of a finding arrive, per hour of the processes that leak
// them and per goroutine that those start. It is measured while the leak is there, and tells
// afterwards how long none must arrive for the leak's absence to be certain.
type pace struct {
	// Arrivals, Hours and Births are the arrivals of the latest looks, those before the finding
	// was known included, the hours of processes in which they came, and the goroutines that
	// these started, leaked or not. Births of 0 are unknown.
	Arrivals float64 `json:"arrivals"`
	Hours    float64 `json:"hours"`
	Births   float64 `json:"births"`

	Spread spread `json:"spread"`
	Load   load   `json:"load"`

	// High is the count that was reached, by process where the census tells it: only what
	// exceeds it has arrived. It is nil before the first count.
	High map[string]float64 `json:"high,omitempty"`
	// Source is where the counts came from: another source begins with a new High.
	Source source `json:"source"`
}

// source is where a count comes from.
type source string

const (
	fromCensus source = "census"
	fromWhole  source = "whole"
	fromRows   source = "rows"
)

// together is the key of counts that are of all processes.
const together = ""

// look adds what happened since the look before, and returns how many goroutines arrived. If
// lost is set, a count that fell did so because a process is gone, and begins anew.
func (p *pace) look(from source, counts map[string]float64, lost bool, watched exposure) float64 {
	came := 0.0
	if p.High == nil || p.Source != from {
		p.High, p.Source = make(map[string]float64), from
	}
	for name, n := range counts {
		high, known := p.High[name]
		switch {
		case !known, lost && n < high:
			p.High[name] = n
		case n > high:
			came += n - high
			p.High[name] = n
		}
	}
	if came == 0 && watched.Hours == 0 {
		return 0 // no process is there that leaks
	}
	p.Arrivals += came
	p.Hours += watched.Hours
	p.Births += watched.Births
	p.Spread.look(came)
	p.Load.look(came, watched)
	if p.events() > remembered {
		p.Arrivals, p.Hours, p.Births = p.Arrivals/2, p.Hours/2, p.Births/2
	}
	return came
}

// seed starts the pace with the goroutines that had gathered before the finding was known.
func (p *pace) seed(count float64, in exposure) {
	*p = pace{Arrivals: count, Hours: in.Hours, Births: in.Births}
}

// remembered bounds the arrivals of which the pace is made: the latest 32 to 64, so that it
// is the pace just before a deploy. With 32, a tenth more time is needed than if the pace was
// known.
const remembered = 64

// events returns the number of independent arrivals: a job that leaks twenty goroutines at
// once each night is one event a night.
func (p *pace) events() float64 { return p.Arrivals / p.Spread.dispersion() }

// wrong is the probability that is allowed of a leak that goes on without an arrival.
const wrong = 0.001

// unloaded is how much longer it takes where the goroutines that were started are not known.
// Where they are, a quiet night counts for little; without, it may have half the load of
// the day before.
const unloaded = 2

// chance returns the probability that none arrives in e though the leak goes on. Of a Poisson
// process of which nothing is known but that n events came in T, none comes in E with the
// probability (1 + E/T)^-n (gamma-Poisson); for large n that is exp(-n·E/T), as if the pace
// was known. T and E may be hours of processes or goroutines that these started. Which of the
// two the leak follows is known as far as Load tells.
func (p *pace) chance(e exposure) float64 {
	n := p.events()
	none := func(before, since float64) float64 { return math.Pow(1+since/before, -n) }
	switch {
	case n <= 0 || p.Hours <= 0:
		return 1
	case p.Births <= 0:
		return none(unloaded*p.Hours, e.Hours)
	}
	follows := p.Load.follows(p.Spread.dispersion())
	return (1-follows)*none(p.Hours, e.Hours) + follows*none(p.Births, e.Births)
}

// certain tells whether the absence of the leak is certain after e without an arrival.
func (p *pace) certain(e exposure) bool { return p.chance(e) <= wrong }

// exposure is for how long processes have been watched: in hours, and in goroutines that they
// started.
type exposure struct {
	Hours  float64 `json:"hours"`
	Births float64 `json:"births"`
}

func (e exposure) plus(f exposure) exposure {
	return exposure{e.Hours + f.Hours, e.Births + f.Births}
}

func (e exposure) times(n float64) exposure { return exposure{e.Hours * n, e.Births * n} }

// remaining returns how much longer it takes after e until the absence is certain, if the
// processes show so much in each hour. It returns false if that takes longer than longest.
func (p *pace) remaining(e, perHour exposure) (time.Duration, bool) {
	after := func(hours float64) exposure { return e.plus(perHour.times(hours)) }
	low, high := 0.0, longest.Hours()
	if !p.certain(after(high)) {
		return 0, false
	}
	if p.certain(e) {
		return 0, true
	}
	for high-low > time.Second.Hours() {
		if middle := (low + high) / 2; p.certain(after(middle)) {
			high = middle
		} else {
			low = middle
		}
	}
	return time.Duration(high * float64(time.Hour)), true
}

// longest is the longest time that is told ahead.
const longest = 365 * 24 * time.Hour

// exposureOf returns for how long a process has shown that goroutines of an age are absent:
// those that are as old by now have had the time since it was first seen, less that age.
func exposureOf(p *process, age time.Duration) exposure {
	watched := p.watched()
	if watched <= age {
		return exposure{}
	}
	return exposure{
		Hours:  (watched - age).Hours(),
		Births: p.Born * float64(watched-age) / float64(watched),
	}
}

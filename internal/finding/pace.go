package finding

import (
	"math"
	"time"
)

// pace is the arrival rate of the goroutines of a finding, per hour of the processes that leak and
// per goroutine that they start. It is measured while the leak is open. Afterwards it determines how
// long none must arrive until the absence of the leak is certain.
type pace struct {
	// Arrivals is the number of recent arrivals, including those before the finding was known.
	// Hours is the time of processes in which they came, and Births the number of goroutines,
	// leaked or not, that the processes started in that time; 0 if unknown.
	Arrivals float64 `json:"arrivals"`
	Hours    float64 `json:"hours"`
	Births   float64 `json:"births"`

	Spread spread `json:"spread"`
	Load   load   `json:"load"`

	// High is the highest count, by process if the census has it. Only goroutines beyond it are
	// arrivals. It is nil before the first count.
	High map[string]float64 `json:"high,omitempty"`
	// Source is the source of High. Counts from another source start a new High.
	Source source `json:"source"`
}

// source is where a count comes from.
type source string

const (
	fromCensus source = "census"
	fromWhole  source = "whole"
	fromRows   source = "rows"
)

// allProcesses is the key of the total count of all processes.
const allProcesses = ""

// observe adds counts and the exposure since the last call, and returns the number of arrivals. If
// lost is set, a process is gone, and a count that falls replaces High.
func (p *pace) observe(from source, counts map[string]float64, lost bool, watched exposure) float64 {
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
		return 0 // there are no leaking processes
	}
	p.Arrivals += came
	p.Hours += watched.Hours
	p.Births += watched.Births
	p.Spread.observe(came)
	p.Load.observe(came, watched)
	if p.events() > maxArrivals {
		p.Arrivals, p.Hours, p.Births = p.Arrivals/2, p.Hours/2, p.Births/2
	}
	return came
}

// seed starts the pace with the goroutines that had gathered before the finding was known.
func (p *pace) seed(count float64, in exposure) {
	*p = pace{Arrivals: count, Hours: in.Hours, Births: in.Births}
}

// maxArrivals bounds the arrivals that determine the pace to the latest 32 to 64, so that it is the
// pace just before a deploy. With 32, closing takes a tenth more time than if the pace was known.
const maxArrivals = 64

// events returns the number of independent arrivals: a job that leaks twenty goroutines at
// once each night is one event a night.
func (p *pace) events() float64 { return p.Arrivals / p.Spread.dispersion() }

// alpha is the maximum probability of closing a leak that is still there.
const alpha = 0.001

// unknownLoadFactor is how much longer closing takes if the number of started goroutines is unknown:
// a night may have half the load of the day before.
const unknownLoadFactor = 2

// chance returns the probability that no goroutine arrives in e although the leak is still there. If
// n events of a Poisson process came in time T, and nothing else is known of it, none comes in E with
// probability (1 + E/T)^-n (gamma-Poisson); for large n that is exp(-n·E/T), as if the pace was
// known. T and E are hours of processes, or goroutines that these started. Load has the probability
// of either.
func (p *pace) chance(e exposure) float64 {
	n := p.events()
	none := func(before, since float64) float64 { return math.Pow(1+since/before, -n) }
	switch {
	case n <= 0 || p.Hours <= 0:
		return 1
	case p.Births <= 0:
		return none(unknownLoadFactor*p.Hours, e.Hours)
	}
	follows := p.Load.follows(p.Spread.dispersion())
	return (1-follows)*none(p.Hours, e.Hours) + follows*none(p.Births, e.Births)
}

// certain reports whether the absence of the leak is certain after e without an arrival.
func (p *pace) certain(e exposure) bool { return p.chance(e) <= alpha }

// exposure is the time for which processes were watched, in hours and in goroutines that they
// started.
type exposure struct {
	Hours  float64 `json:"hours"`
	Births float64 `json:"births"`
}

func (e exposure) plus(f exposure) exposure {
	return exposure{e.Hours + f.Hours, e.Births + f.Births}
}

func (e exposure) times(n float64) exposure { return exposure{e.Hours * n, e.Births * n} }

// remaining returns the time after e until the absence is certain, if the exposure grows by perHour.
// It returns false if that is longer than maxForecast.
func (p *pace) remaining(e, perHour exposure) (time.Duration, bool) {
	after := func(hours float64) exposure { return e.plus(perHour.times(hours)) }
	low, high := 0.0, maxForecast.Hours()
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

// maxForecast is the longest forecast.
const maxForecast = 365 * 24 * time.Hour

// exposureOf returns the exposure of a process in which goroutines could have started that are at
// least as old as age now.
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

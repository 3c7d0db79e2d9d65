package finding

import (
	"math"
	"time"
)

// pace is how fast the goroutines of a finding arrive, by the hours of the processes that
// leak them and by the goroutines that those start. It is measured while the leak is there,
// and says afterwards for how long none must come for its absence to be certain.
type pace struct {
	Arrivals float64 `json:"arrivals"` // those before the finding was known included
	Watched  float64 `json:"watched"`  // those since
	Squares  float64 `json:"squares"`  // of the arrivals of each look
	Looks    float64 `json:"looks"`
	Hours    float64 `json:"hours"`  // of processes
	Births   float64 `json:"births"` // goroutines started, leaked or not; 0 is unknown
	// High is the count that was reached: only what comes above it has arrived. A count that
	// falls because a process went begins again from there.
	High  float64 `json:"high"`
	Known bool    `json:"known"` // High is
	// Source is where the count came from: another one begins anew.
	Source source `json:"source"`
}

// source is where a count comes from.
type source string

const (
	fromCensus source = "census"
	fromWhole  source = "whole"
	fromRows   source = "rows"
)

// look adds what happened from one look at the count to the next.
func (p *pace) look(from source, count float64, lost bool, hours, births float64) {
	came := 0.0
	switch {
	case !p.Known, from != p.Source, lost && count < p.High:
		p.Known, p.Source, p.High = true, from, count
	case count > p.High:
		came, p.High = count-p.High, count
	}
	if came == 0 && hours == 0 {
		return // no process is there that leaks
	}
	p.Arrivals += came
	p.Watched += came
	p.Squares += came * came
	p.Looks++
	p.Hours += hours
	p.Births += births
	if p.events() > remembered {
		for _, sum := range [...]*float64{&p.Arrivals, &p.Watched, &p.Squares, &p.Looks, &p.Hours, &p.Births} {
			*sum /= 2
		}
	}
}

// seed starts with what had gathered before the finding was known.
func (p *pace) seed(count, hours, births float64) {
	*p = pace{Arrivals: count, Hours: hours, Births: births, High: count, Known: true}
}

// remembered is of how many arrivals the pace is made: the latest 32 to 64, so that it is
// that of the time before a deploy. With 32 a tenth more time is asked for than if the
// pace was known.
const remembered = 64

// events is the number of independent arrivals. Of a job that leaks twenty at once each night
// that is one a night: arrivals are divided by the variance that they have from look to look,
// over that of independent ones (quasi-Poisson).
func (p *pace) events() float64 {
	dispersion := 1.0
	if p.Watched > 0 && p.Looks > 0 {
		dispersion = max(1, p.Squares/p.Watched-p.Watched/p.Looks)
	}
	if p.Watched < fewWatched {
		dispersion = max(unwatched, dispersion)
	}
	return p.Arrivals / dispersion
}

// Until fewWatched have been seen to come, it is not known whether they come by themselves.
// As many as unwatched at once is then assumed.
const (
	fewWatched = 5
	unwatched  = 2
)

// wrong is the probability that is allowed of a leak that goes on without an arrival.
const wrong = 0.001

// factor returns by how much the time without an arrival must exceed the time in which n
// came, for none to be a matter of chance: of a Poisson process of which nothing is known
// but this, none comes in T·x with the probability (1 + x)^-n (gamma-Poisson). For large n
// that is ln(1/wrong) times the time between two arrivals, as if the pace was known.
func factor(n float64) float64 {
	return math.Pow(1/wrong, 1/n) - 1
}

// unloaded is how much longer it takes where the goroutines that were started are not known.
// Where they are, a quiet night counts for little; without, it may have half the load of
// the day before.
const unloaded = 2

// needs returns how long it must go without an arrival for none to be to come; without births
// where they are not known.
func (p *pace) needs() exposure {
	n := p.events()
	if n <= 0 || p.Hours <= 0 {
		return exposure{Hours: math.Inf(1)}
	}
	x := factor(n)
	if p.Births <= 0 {
		return exposure{Hours: unloaded * x * p.Hours}
	}
	return exposure{x * p.Hours, x * p.Births}
}

// exposure is for how long processes have been seen without the leak, counted as pace counts.
type exposure struct {
	Hours  float64 `json:"hours"`
	Births float64 `json:"births"`
}

func (e exposure) plus(f exposure) exposure {
	return exposure{e.Hours + f.Hours, e.Births + f.Births}
}

func (e exposure) covers(need exposure) bool { return e.Hours >= need.Hours && e.Births >= need.Births }

// remaining returns how much longer it takes until that is certain, as processes go now.
func (p *pace) remaining(e exposure, processes int, perHour float64) (time.Duration, bool) {
	need := p.needs()
	if processes == 0 {
		return 0, false
	}
	left := max(0, need.Hours-e.Hours) / float64(processes)
	if need.Births > e.Births {
		left = max(left, (need.Births-e.Births)/perHour)
	}
	if !(left <= longest.Hours()) { // nor any number at all
		return 0, false
	}
	return time.Duration(left * float64(time.Hour)), true
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

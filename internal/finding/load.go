package finding

import "math"

// load weighs whether a leak follows the load of its processes, which is the number of
// goroutines that they start, or leaks as much in each hour. If it follows the load, a quiet
// night without arrivals proves little; if it does not, a night is as good as a day.
//
// The weight is a Bayes factor. That arrivals come in these looks and no others has, if they
// follow a quantity, the probability Π (share of the look in the quantity) for each arrival.
type load struct {
	Arrivals float64 `json:"arrivals"`
	Hours    float64 `json:"hours"`
	Births   float64 `json:"births"`
	// Ratios is the sum of ln(births/hours) of the look of each arrival.
	Ratios float64 `json:"ratios"`
}

// weighed bounds the arrivals that are remembered, so that a leak whose nature changes is
// weighed anew.
const weighed = 1024

func (l *load) look(came float64, in exposure) {
	if in.Hours <= 0 || in.Births <= 0 {
		return
	}
	l.Arrivals += came
	l.Hours += in.Hours
	l.Births += in.Births
	l.Ratios += came * math.Log(in.Births/in.Hours)
	if l.Arrivals > weighed {
		l.Arrivals, l.Hours, l.Births, l.Ratios = l.Arrivals/2, l.Hours/2, l.Births/2, l.Ratios/2
	}
}

// follows returns the probability that the leak follows the load, if so many arrivals make
// one event. It is one half if nothing is known, and doubt at least for either.
func (l *load) follows(dispersion float64) float64 {
	if l.Arrivals == 0 {
		return 0.5
	}
	factor := (l.Ratios - l.Arrivals*math.Log(l.Births/l.Hours)) / dispersion
	return min(max(1/(1+math.Exp(-factor)), doubt), 1-doubt)
}

// doubt is the least probability of either: leaks may follow a third quantity that looks like
// one of the two for a while.
const doubt = 0.02

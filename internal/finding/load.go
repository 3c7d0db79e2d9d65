package finding

import "math"

// load determines whether a leak follows the load of its processes, the number of goroutines that
// they start, or grows by the hour. If it follows the load, a quiet night without arrivals proves
// little; if it does not, a night proves as much as a day.
//
// The weight is a Bayes factor. If arrivals follow a quantity, the probability that they come in
// just these observations is the product, over all arrivals, of the share of the observation in
// that quantity.
type load struct {
	Arrivals float64 `json:"arrivals"`
	Hours    float64 `json:"hours"`
	Births   float64 `json:"births"`
	// Ratios is the sum over arrivals of ln(births/hours) of their observation.
	Ratios float64 `json:"ratios"`
}

// maxLoadArrivals bounds the arrivals that count, so that the weight follows a leak that changes.
const maxLoadArrivals = 1024

func (l *load) observe(came float64, in exposure) {
	if in.Hours <= 0 || in.Births <= 0 {
		return
	}
	l.Arrivals += came
	l.Hours += in.Hours
	l.Births += in.Births
	l.Ratios += came * math.Log(in.Births/in.Hours)
	if l.Arrivals > maxLoadArrivals {
		l.Arrivals, l.Hours, l.Births, l.Ratios = l.Arrivals/2, l.Hours/2, l.Births/2, l.Ratios/2
	}
}

// follows returns the probability that the leak follows the load; dispersion is the number of
// arrivals in one event. Without arrivals it is 0.5. Neither possibility is below minWeight.
func (l *load) follows(dispersion float64) float64 {
	if l.Arrivals == 0 {
		return 0.5
	}
	factor := (l.Ratios - l.Arrivals*math.Log(l.Births/l.Hours)) / dispersion
	return min(max(1/(1+math.Exp(-factor)), minWeight), 1-minWeight)
}

// minWeight is the minimum probability of either possibility: a leak may follow a third quantity
// that resembles one of the two for a while.
const minWeight = 0.02

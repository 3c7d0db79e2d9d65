package finding

// spread measures whether arrivals come one by one or many at once. The zero value is ready.
type spread struct {
	Arrivals     float64 `json:"arrivals"`
	Squares      float64 `json:"squares"` // sum of the squared arrivals of each observation
	Observations float64 `json:"looks"`
}

// A spread covers at least the latest 128 observations and 64 arrivals. The variance of fewer
// observations is unknown, however many arrive in each.
const (
	maxObservations   = 256
	maxSpreadArrivals = 128
)

func (s *spread) observe(came float64) {
	s.Arrivals += came
	s.Squares += came * came
	s.Observations++
	if s.Observations > maxObservations && s.Arrivals > maxSpreadArrivals {
		s.Arrivals, s.Squares, s.Observations = s.Arrivals/2, s.Squares/2, s.Observations/2
	}
}

// dispersion returns the number of arrivals in one independent event: the variance of arrivals
// between observations, over that of independent arrivals (quasi-Poisson), at least 1. With few
// observations it tends to priorDispersion.
func (s *spread) dispersion() float64 {
	if s.Arrivals == 0 {
		return priorDispersion
	}
	measured := max(1, s.Squares/s.Arrivals-s.Arrivals/s.Observations)
	weight := min(s.Arrivals, s.Observations)
	return (priorDispersion + weight*measured) / (1 + weight)
}

// priorDispersion is the assumed dispersion before the first arrival. It has the weight of one
// arrival.
const priorDispersion = 2

package finding

// spread measures whether arrivals come one by one or many at once. The zero value is ready.
type spread struct {
	Arrivals float64 `json:"arrivals"`
	Squares  float64 `json:"squares"` // of the arrivals of each look
	Looks    float64 `json:"looks"`
}

// A spread covers at least the latest 128 looks and 64 arrivals. The variance of fewer looks is
// unknown, however many arrive in each.
const (
	leastLooks    = 256
	leastArrivals = 128
)

func (s *spread) look(came float64) {
	s.Arrivals += came
	s.Squares += came * came
	s.Looks++
	if s.Looks > leastLooks && s.Arrivals > leastArrivals {
		s.Arrivals, s.Squares, s.Looks = s.Arrivals/2, s.Squares/2, s.Looks/2
	}
}

// dispersion returns the number of arrivals in one independent event: the variance of arrivals
// from look to look, over that of independent arrivals (quasi-Poisson), at least 1. With few
// looks it tends to assumed.
func (s *spread) dispersion() float64 {
	if s.Arrivals == 0 {
		return assumed
	}
	measured := max(1, s.Squares/s.Arrivals-s.Arrivals/s.Looks)
	weight := min(s.Arrivals, s.Looks)
	return (assumed + weight*measured) / (1 + weight)
}

// assumed is the number of goroutines that are assumed to leak at once before any was seen to
// arrive. The assumption has the weight of one arrival.
const assumed = 2

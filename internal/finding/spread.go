package finding

// spread tells how arrivals are spread over looks: one by one, or many at once. The zero
// value knows nothing.
type spread struct {
	Arrivals float64 `json:"arrivals"`
	Squares  float64 `json:"squares"` // of the arrivals of each look
	Looks    float64 `json:"looks"`
}

// A spread is measured over the latest 128 looks and 64 arrivals at least: of fewer looks the
// variance is not known, however many arrive in each.
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

// dispersion returns how many arrivals make one independent event: the variance of arrivals
// from look to look, over that of independent ones (quasi-Poisson), 1 at least. While little
// was watched it tends to assumed.
func (s *spread) dispersion() float64 {
	if s.Arrivals == 0 {
		return assumed
	}
	measured := max(1, s.Squares/s.Arrivals-s.Arrivals/s.Looks)
	weight := min(s.Arrivals, s.Looks)
	return (assumedWeight*assumed + weight*measured) / (assumedWeight + weight)
}

// assumed is how many goroutines are assumed to leak at once before any was seen to arrive,
// and assumedWeight how many arrivals that assumption weighs. Most leaks come one by one.
const (
	assumed       = 2
	assumedWeight = 0.5
)

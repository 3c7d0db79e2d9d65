package finding

import "time"

// measure adds what came since the last call to the pace of the leak.
func (r *record) measure(s *service) {
	if r.Phase != open && r.live(s) == None {
		return
	}
	age := r.age()
	for _, p := range s.Processes {
		if p.age() > age && (len(r.Leaking) == 0 || r.leaks(p.Version)) {
			r.Pending = r.Pending.plus(exposure{p.hours, p.born})
		}
	}
	w := r.Whole
	whole := w != nil && w.Count.known()
	switch {
	case !whole:
		r.seedRows(s)
	case r.Pace.High == nil:
		r.Pace.seed(w.Count.Value, s.gatheredIn(w.Count.Value, w.Rate.Value/max(1, w.Instances.Value)))
	}
	if counts, known := r.counted(s); known {
		r.look(s, fromCensus, counts)
	} else if n, at := r.sum(); !whole && at.After(r.Looked) {
		r.Looked = at
		r.look(s, fromRows, map[string]float64{together: n})
	} else if whole && w.Count.At.After(r.Looked) {
		r.Looked = w.Count.At
		r.look(s, fromWhole, map[string]float64{together: w.Count.Value})
	}
}

// seedRows adds to the pace the goroutines that had gathered in each row before it came.
func (r *record) seedRows(s *service) {
	for _, w := range r.Rows {
		if w.Severity.Value == 0 || !w.Count.known() || w.Seeded {
			continue
		}
		w.Seeded = true
		if r.Pace.Source == fromCensus {
			continue // the census has counted them
		}
		in := s.gatheredIn(w.Count.Value, w.Rate.Value)
		p := &r.Pace
		p.Arrivals += w.Count.Value
		p.Hours += in.Hours
		p.Births += in.Births
		if p.Source == fromRows && p.High != nil {
			p.High[together] += w.Count.Value
		}
	}
}

// sum returns the sum of the rows, and the time of the latest.
func (r *record) sum() (n float64, latest time.Time) {
	for _, w := range r.Rows {
		if w.Severity.Value == 0 || !w.Count.known() {
			continue
		}
		n += w.Count.Value
		if w.Count.At.After(latest) {
			latest = w.Count.At
		}
	}
	return n, latest
}

// lossShows is how long the count of a service may fall after a process is gone. The detector
// counts that process for min_duration more, half an hour by default.
const lossShows = 2 * time.Hour

func (r *record) look(s *service, from source, counts map[string]float64) {
	came := r.Pace.look(from, counts, s.Seen.Sub(s.Lost) < lossShows, r.Pending)
	r.Pending = exposure{}
	if only := s.onlyVersion(); came > 0 && only > 0 && r.Phase == open {
		r.mark(only)
	}
}

// gatheredIn returns the exposure in which so many goroutines gathered: as many hours of
// processes as it takes at their rate, in goroutines an hour and process, or the ages of all
// processes if the rate is unknown.
func (s *service) gatheredIn(count, rate float64) exposure {
	var all exposure
	for _, p := range s.Processes {
		all = all.plus(exposure{p.age().Hours(), p.Births.Value})
	}
	if rate <= 0 {
		return all
	}
	hours, births := min(count/rate, longest.Hours()), 0.0
	if all.Hours > 0 {
		births = all.Births / all.Hours * hours
	}
	return exposure{hours, births}
}

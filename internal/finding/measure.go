package finding

import "time"

// measure adds what came since the last time to the pace of the leak.
func (r *record) measure(s *service) {
	if r.Phase != open && r.live() == None {
		return
	}
	age := r.age()
	for _, p := range s.Processes {
		if p.age() > age && (len(r.Leaking) == 0 || r.leaks(p.Version)) {
			r.Pending = r.Pending.plus(exposure{p.hours, p.born})
		}
	}
	w := r.Whole
	together := w != nil && w.Count.known()
	switch {
	case !together:
		r.seedRows(s)
	case !r.Pace.Known:
		r.seed(s, w.Count.Value, w.Rate.Value/max(1, w.Instances.Value))
	}
	if n, known := r.counted(s); known {
		r.look(s, fromCensus, n)
	} else if n, at := r.sum(); !together && at.After(r.Looked) {
		r.Looked = at
		r.look(s, fromRows, n)
	} else if together && w.Count.At.After(r.Looked) {
		r.Looked = w.Count.At
		r.look(s, fromWhole, w.Count.Value)
	}
}

// seedRows adds to the pace what had gathered in each row before it came.
func (r *record) seedRows(s *service) {
	for _, w := range r.Rows {
		if w.Severity.Value > 0 && w.Count.known() && !w.Seeded {
			w.Seeded = true
			before := r.Pace
			r.seed(s, w.Count.Value, w.Rate.Value)
			r.Pace.join(before)
		}
	}
}

// sum adds up the rows, and returns of when the latest is.
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

// lossShows is for how long the count of a service may fall after a process went: the
// detector counts it for min_duration more, half an hour by default.
const lossShows = 2 * time.Hour

func (r *record) look(s *service, from source, count float64) {
	before := r.Pace
	r.Pace.look(from, count, s.Seen.Sub(s.Lost) < lossShows, r.Pending.Hours, r.Pending.Births)
	r.Pending = exposure{}
	if only := s.onlyVersion(); before.Source == from && r.Pace.High > before.High && only > 0 && r.Phase == open {
		r.mark(only)
	}
}

// seed starts the pace with those that had gathered before: they are as many hours of
// processes as it takes at their rate, in goroutines an hour and process.
func (r *record) seed(s *service, count, rate float64) {
	hours, births := 0.0, 0.0
	for _, p := range s.Processes {
		hours += p.age().Hours()
		births += p.Births.Value
	}
	perHour := 0.0
	if hours > 0 {
		perHour = births / hours
	}
	if rate > 0 {
		hours = min(count/rate, longest.Hours())
	}
	r.Pace.seed(count, hours, perHour*hours)
}

// join adds what was measured before.
func (p *pace) join(before pace) {
	p.Arrivals += before.Arrivals
	p.Watched += before.Watched
	p.Squares += before.Squares
	p.Looks += before.Looks
	p.Hours += before.Hours
	p.Births += before.Births
	p.High += before.High
}

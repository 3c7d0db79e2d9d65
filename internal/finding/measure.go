package finding

import "time"

// measure adds the arrivals since the last call to the pace of the leak.
func (r *record) measure(s *service) {
	if r.Phase != open && r.liveSeverity(s) == None {
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
	if counts, known := r.censusCounts(s); known {
		r.observe(s, fromCensus, counts)
	} else if n, at := r.sum(); !whole && at.After(r.CountAt) {
		r.CountAt = at
		r.observe(s, fromRows, map[string]float64{allProcesses: n})
	} else if whole && w.Count.At.After(r.CountAt) {
		r.CountAt = w.Count.At
		r.observe(s, fromWhole, map[string]float64{allProcesses: w.Count.Value})
	}
}

// seedRows adds to the pace the goroutines that had gathered in each row before its first count.
func (r *record) seedRows(s *service) {
	var seeded headcount
	var unseeded []*row
	for _, key := range sorted(r.Rows) { // what a row adds depends on those before it
		w := r.Rows[key]
		switch {
		case w.Severity.Value == 0 || !w.Count.known():
		case w.Seeded:
			seeded.addRow(r, w, w.Count.Value)
		default:
			unseeded = append(unseeded, w)
		}
	}
	for _, w := range unseeded {
		w.Seeded = true
		n := seeded.addRow(r, w, w.Count.Value)
		if n == 0 || r.Pace.Source == fromCensus {
			continue // already counted
		}
		in := s.gatheredIn(n, w.Rate.Value)
		p := &r.Pace
		p.Arrivals += n
		p.Hours += in.Hours
		p.Births += in.Births
		if p.Source == fromRows && p.High != nil {
			p.High[allProcesses] += n
		}
	}
}

// sum returns the total count of the rows, and the time of the latest.
func (r *record) sum() (n float64, latest time.Time) {
	var counts headcount
	for _, w := range r.Rows {
		if w.Severity.Value == 0 || !w.Count.known() {
			continue
		}
		counts.addRow(r, w, w.Count.Value)
		if w.Count.At.After(latest) {
			latest = w.Count.At
		}
	}
	return counts.total(), latest
}

// lossDelay is the time for which the count of a service may still fall after a process is gone. The
// detector counts the process for another min_duration, half an hour by default.
const lossDelay = 2 * time.Hour

// observe adds counts to the pace, by process or for allProcesses.
func (r *record) observe(s *service, from source, counts map[string]float64) {
	came := r.Pace.observe(from, counts, s.Seen.Sub(s.Lost) < lossDelay, r.Pending)
	r.Pending = exposure{}
	if only := s.onlyVersion(); came > 0 && only > 0 && r.Phase == open {
		r.markLeaking(only)
	}
}

// gatheredIn returns the exposure in which count goroutines gathered at rate, in goroutines per hour
// and process. If the rate is unknown, it is the ages of all processes.
func (s *service) gatheredIn(count, rate float64) exposure {
	var all exposure
	for _, p := range s.Processes {
		all = all.plus(exposure{p.age().Hours(), p.Births.Value})
	}
	if rate <= 0 {
		return all
	}
	hours, births := min(count/rate, maxForecast.Hours()), 0.0
	if all.Hours > 0 {
		births = all.Births / all.Hours * hours
	}
	return exposure{hours, births}
}

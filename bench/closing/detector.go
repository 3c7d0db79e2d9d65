package main

import "time"

// detector is a simple model of how the processor judges a service as a whole (internal/detect/servicegroup.go),
// for one place. The real detector would take a second for each case, and only the times of its flags matter here.
type detector struct {
	off      bool // the detector does not judge services
	flagged  bool
	arrivals int       // at the last scrape, of all instances ever
	since    int       // arrivals before the last flag
	steps    int       // scrapes with arrivals since then
	rose     time.Time // time of the last arrival
	begun    time.Time // time of the first arrival
	zeros    time.Time // end of the time in which severity 0 is shown
}

type verdict struct {
	shown                               bool
	severity, count, perHour, instances float64
}

// minSteps is the minimum number of scrapes with arrivals.
const minSteps = 3

// goneAfter is the number of missing arrivals after which a leak has ended.
const goneAfter = 10

func (d *detector) judge(f *fleet) verdict {
	var v verdict
	all, hours := 0, 0.0
	for _, p := range f.instances {
		at := f.now
		if !p.end.IsZero() {
			at = p.end
		}
		n := p.aged(at)
		all += n
		if !p.end.IsZero() && (f.now.Sub(p.end) > minDuration || !f.renamed) {
			continue
		}
		v.count += float64(n)
		hours += at.Sub(p.start).Hours()
		if n > 0 {
			v.instances++
		}
	}
	if all > d.arrivals {
		d.rose = f.now
		d.steps++
		if d.begun.IsZero() {
			d.begun = f.now
		}
	}
	d.arrivals = all
	if hours > 0 {
		v.perHour = v.count / hours * v.instances
	}
	missing := 0.0
	if d.rose.After(d.begun) {
		missing = float64(all) / max(d.rose.Sub(d.begun), minDuration).Hours() * (f.now.Sub(d.rose) - agedAfter).Hours()
	}
	switch {
	case !d.flagged && all-d.since >= minLeaked && d.steps >= minSteps && f.now.Sub(d.begun) >= minDuration:
		d.flagged = true
	case d.flagged && (missing >= goneAfter && f.now.Sub(d.rose) >= minDuration && v.count == 0 || f.now.Sub(d.rose) > 24*time.Hour):
		d.flagged, d.since, d.steps, d.zeros = false, all, 0, f.now.Add(15*time.Minute)
	}
	if d.flagged {
		v.severity = 2
	}
	v.shown = !d.off && (d.flagged || f.now.Before(d.zeros))
	return v
}

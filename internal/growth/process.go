package growth

import "time"

// A process may be replaced by another one, and so may the watcher of a process.

// begin sets the residents of a process at its first observation.
func (e *Evidence) begin(r *Rules, o *Observation) {
	e.first = o.At.UnixNano()
	residents := o.Count
	if !o.First.IsZero() && !o.First.After(o.At) {
		e.first, residents = o.First.UnixNano(), o.FirstCount
	}
	e.newcomers, e.lifetime.exitsInLife = 0, 0
	if o.Census && e.process != 0 && e.first > e.process && residents < r.MinLeaked {
		e.newcomers, residents = float32(residents), 0
	}
	e.population.begin(residents)
}

// noticeProcess detects another process, or another watcher of the same one: a restarted collector
// also counts from a later start. Then at least as many goroutines exist as were aged before, and
// they only have to age again.
func (e *Evidence) noticeProcess(r *Rules, o *Observation) (End, *Life) {
	if !o.Process.IsZero() && e.process != 0 && o.Process.UnixNano() > e.process {
		e.start = max(e.start, o.Process.UnixNano())
		return e.restart(r, o)
	}
	if o.Start.IsZero() || o.Start.After(o.At) {
		return NotEnded, nil
	}
	start := o.Start.UnixNano()
	known := e.start != 0
	if e.process == 0 {
		e.process = start
		if !o.Process.IsZero() {
			e.process = o.Process.UnixNano()
		}
	}
	if start <= e.start {
		return NotEnded, nil
	}
	e.start = start
	switch {
	case !known:
		return NotEnded, nil
	case e.census && o.Census && e.population.level > 0 && o.Count >= float64(e.population.level):
		e.resuming = true
		e.lifetime.restart()
		return NotEnded, nil
	}
	return e.restart(r, o)
}

// restart resets the state that belongs to the process. Lifetimes and past populations belong to
// the code and are kept.
func (e *Evidence) restart(r *Rules, o *Observation) (End, *Life) {
	ended := NotEnded
	if e.belief.severity > None {
		ended = ProcessGone
	}
	former := e.endLife(r, o)
	e.belief.restart(e.grewToTheEnd(r), e.census)
	e.lifetime.restart()
	e.floors = floors{}
	e.resuming = false
	e.process = e.start
	e.begin(r, o)
	return ended, former
}

// resume ends the wait for goroutines to age again under a new watcher: they have, or too few are
// left, or it takes too long.
func (e *Evidence) resume(r *Rules, o *Observation) (End, *Life) {
	level := float64(e.population.level)
	switch {
	case o.Census && o.Aged >= resumeShare*level:
		e.resuming = false
		// Arrivals while nobody watched may have come at once: it may be another process
		// after all, with a larger pool.
		if unseen := float32(o.Aged - level); unseen > 0 {
			e.floors.lift(unseen)
		}
	case o.Count < resumeShare*level, o.At.UnixNano()-e.start > int64(r.MinDuration+o.Bound):
		return e.restart(r, o)
	}
	return NotEnded, nil
}

// resumeShare is the share of the formerly aged goroutines that must be aged again: some may have
// exited meanwhile.
const resumeShare = 0.9

// grewToTheEnd returns the length of a life whose count grew until its end, over at least a
// quarter of it; otherwise 0.
func (e *Evidence) grewToTheEnd(r *Rules) time.Duration {
	rise, rising := e.floors.rising(r, float64(e.population.base), true)
	lived := time.Duration(e.last - e.process)
	if e.census || !rising || rise.horizon < lived/4 {
		return 0
	}
	return lived
}

package growth

import "time"

// A process may be another one than before, and so may the watcher of the same process.

// begin notes who is there when the watching of a process begins.
func (e *Evidence) begin(r *Rules, o *Observation) {
	e.first = o.At.UnixNano()
	residents := o.Count
	if !o.First.IsZero() && !o.First.After(o.At) {
		e.first, residents = o.First.UnixNano(), o.FirstCount
	}
	e.newcomers, e.lifetime.left = 0, 0
	if o.Census && e.process != 0 && e.first > e.process && residents < r.MinLeaked {
		e.newcomers, residents = float32(residents), 0
	}
	e.population.begin(residents)
}

// noticeProcess notices that the process is another one, or that the watcher is: a
// collector that was restarted counts from a later start, too. Then as many goroutines
// are there as were aged before, and need only be seen to age again.
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
		e.resumes = true
		e.lifetime.restart()
		return NotEnded, nil
	}
	return e.restart(r, o)
}

// restart starts afresh what a new process starts afresh. What is known of lifetimes
// and of past populations is known of the code, and stays.
func (e *Evidence) restart(r *Rules, o *Observation) (End, *Life) {
	ended := NotEnded
	if e.belief.severity > None {
		ended = ProcessGone
	}
	former := e.endLife(r, o)
	e.belief.restart(e.grewToTheEnd(r), e.census)
	e.lifetime.restart()
	e.floors = floors{}
	e.resumes = false
	e.process = e.start
	e.begin(r, o)
	return ended, former
}

// resume notices that the level can be observed again, because the goroutines have
// aged again, or will not: too few are left, or it takes longer than it can.
func (e *Evidence) resume(r *Rules, o *Observation) (End, *Life) {
	level := float64(e.population.level)
	switch {
	case o.Census && o.Aged >= mostOf*level:
		e.resumes = false
		// What came while nobody looked may have come at once: it may be
		// another process after all, with a larger pool.
		if unseen := float32(o.Aged - level); unseen > 0 {
			e.floors.lift(unseen)
		}
	case o.Count < mostOf*level, o.At.UnixNano()-e.start > int64(r.MinDuration+o.Bound):
		return e.restart(r, o)
	}
	return NotEnded, nil
}

// mostOf is the share of those that were aged that must be there again: some may have
// left meanwhile.
const mostOf = 0.9

// grewToTheEnd returns how long the life of a process was whose count grew to its
// end, over a good part of it; 0 if it did not.
func (e *Evidence) grewToTheEnd(r *Rules) time.Duration {
	rise, rising := e.floors.rising(r, float64(e.population.base), true)
	lived := time.Duration(e.last - e.process)
	if e.census || !rising || rise.horizon < lived/4 {
		return 0
	}
	return lived
}

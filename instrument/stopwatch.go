package instrument

import "time"

// watch measures the cost of the work since startWatch.
type watch struct {
	began time.Time
	cpu   time.Duration
	known bool // whether cpu is
}

func startWatch() watch {
	user, system, known := cpuTime()
	return watch{began: time.Now(), cpu: user + system, known: known}
}

func (w watch) elapsed() time.Duration { return time.Since(w.began) }

// cost returns about how much CPU time the work has taken: what the whole process has
// used meanwhile, but no more than one goroutine can have used in that time and half
// as much again, for the goroutine that reads the trace and the garbage collector,
// which work beside it. In a process that does nothing else that is right to within
// a tenth; in a busy one it is too high, which makes sampling rarer, and that is
// the right side to err on.
func (w watch) cost() time.Duration {
	most := w.elapsed() * 3 / 2
	user, system, known := cpuTime()
	if !w.known || !known {
		return most
	}
	return min(most, user+system-w.cpu)
}

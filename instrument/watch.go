package instrument

import "time"

// watch tells what the work since its start has cost.
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

// cost returns about how much CPU time the work has taken, and hardly ever less: it
// is done by one goroutine, so no more than the time that has passed; and no more
// than the whole process has used meanwhile. In a process that does nothing else
// the second is exact; in a busy one both are too high, which makes sampling
// rarer, and that is the right side to err on.
func (w watch) cost() time.Duration {
	elapsed := w.elapsed()
	user, system, known := cpuTime()
	if !w.known || !known {
		return elapsed
	}
	return min(elapsed, user+system-w.cpu)
}

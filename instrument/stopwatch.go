package instrument

import "time"

// stopwatch measures the cost of the work since startStopwatch.
type stopwatch struct {
	began time.Time
	cpu   time.Duration
	known bool // whether cpu is known
}

func startStopwatch() stopwatch {
	user, system, known := cpuTime()
	return stopwatch{began: time.Now(), cpu: user + system, known: known}
}

func (w stopwatch) elapsed() time.Duration { return time.Since(w.began) }

// cost returns an estimate of the CPU time of the work: that of the whole process in the meantime,
// but at most one and a half times the elapsed time, for the sampling goroutine plus the goroutine
// that reads the trace and the garbage collector. In an otherwise idle process it is accurate to
// within a tenth; in a busy one it is too high, which makes sampling rarer.
func (w stopwatch) cost() time.Duration {
	most := w.elapsed() * 3 / 2
	user, system, known := cpuTime()
	if !w.known || !known {
		return most
	}
	return min(most, user+system-w.cpu)
}

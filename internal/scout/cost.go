package scout

import "time"

// CPU time of a trace in the traced process, measured with Go 1.26.8 on two shared cores: 7 to 24 ns
// a byte (BenchmarkTracedServer of the receiver), and 0.75 µs for each goroutine at the start and in
// every second. Starting and stopping takes 2 ms, mostly for garbage of the runtime's buffers
// (BenchmarkOriginsTrace of instrument).
const (
	costPerTrace     = 2 * time.Millisecond
	costPerByte      = 25 * time.Nanosecond
	costPerGoroutine = 750 * time.Nanosecond
)

// cost returns the CPU time of a trace in the process and in the reader. A refused trace costs the
// process nothing.
func (p Plan) cost(r Result) time.Duration {
	if r.Size == 0 {
		return r.Reading
	}
	lists := 1 + (p.Duration+time.Second-1)/time.Second
	return costPerTrace + time.Duration(r.Size)*costPerByte + time.Duration(p.goroutines)*costPerGoroutine*lists + r.Reading
}

// budget is the CPU time available for traces of a process. It grows with time, and must reach the
// highest cost so far before the next trace.
type budget struct {
	available time.Duration // CPU time
	highest   time.Duration
	filled    time.Time
}

// maxSaved limits the budget to what accumulates in this time.
const maxSaved = time.Hour

// fill adds the budget for the time since the last call, as a share of a core.
func (b *budget) fill(share float64, at time.Time) {
	if b.filled.IsZero() {
		b.filled = at
	}
	passed := max(at.Sub(b.filled), 0)
	b.filled = b.filled.Add(passed)
	most := max(time.Duration(share*float64(maxSaved)), b.highest)
	b.available = min(b.available+time.Duration(share*float64(passed)), most)
}

// suffices reports whether another trace may be taken. The cost of the first one is unknown.
func (b *budget) suffices() bool { return b.available > 0 && b.available >= b.highest }

func (b *budget) pay(cost time.Duration) {
	b.available -= cost
	b.highest = max(b.highest, cost)
}
